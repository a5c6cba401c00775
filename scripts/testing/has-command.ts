/** Apart from `require-part.ts`, because that needs a test runner and scripts have none. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Whether there is such a program on the `PATH`. */
export function hasCommand(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
