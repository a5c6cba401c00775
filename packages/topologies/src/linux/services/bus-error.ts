/** Apart from the connection, which is loaded when somebody needs it. */
import { HarmonyError } from '@harmony-iac/core'

/** What the other side answers when it refuses: a name such as `org.freedesktop.DBus.Error.AccessDenied`. */
export class BusError extends HarmonyError {
  readonly errorName: string
  constructor(name: string, message: string, hint?: string | undefined) {
    super('refused', message || name, { hint, data: { dbusError: name } })
    this.errorName = name
  }
}
