/** The schemas as they are published: what `harmony schema` prints. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { JsonSchema } from './types.ts'

const launcher = join(import.meta.dirname, '../../packages/cli/bin/harmony.js')

/** The specs of the kinds, the lines of `--json`, and the documents that travel, by name. */
export const published: {
  readonly kinds: Readonly<Record<string, JsonSchema>>
  readonly events: Readonly<Record<string, JsonSchema>>
  readonly wire: Readonly<Record<string, JsonSchema>>
} = JSON.parse(
  // In a folder without a project, whose kinds would be published too.
  execFileSync(process.execPath, [launcher, 'schema'], { cwd: import.meta.dirname, encoding: 'utf8' }),
)
