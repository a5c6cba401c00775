/** Apart from the bus, so that what asks for nothing loads none of it. */
import { HarmonyError } from '@harmony-iac/core'

/** What the other side answers when it refuses: a name such as `org.freedesktop.DBus.Error.AccessDenied`. */
export class BusError extends HarmonyError {
  readonly errorName: string
  constructor(name: string, message: string, hint?: string | undefined) {
    super('refused', message || name, { hint, data: { dbusError: name } })
    this.errorName = name
  }
}
