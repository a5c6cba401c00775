/** What D-Bus and systemd say when they refuse, in words that tell what to do. */
import { HarmonyError } from '@harmony-iac/core'
import { BusError } from './bus-error.ts'
import { systemd } from './names.ts'

const meanings: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  'org.freedesktop.DBus.Error.AccessDenied': [
    'may not be changed',
    'apply as root, or as a user who may use sudo',
  ],
  'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired': [
    'may not be changed',
    'apply as root, or as a user who may use sudo',
  ],
  [`${systemd}.NoSuchUnit`]: [
    'does not exist',
    'install the package that brings it, or give its text as unit',
  ],
  [`${systemd}.UnitMasked`]: ['is masked', 'say masked: false, or see who masked it'],
  'org.freedesktop.DBus.Error.FileNotFound': ['does not exist', 'give its text as unit'],
  'org.freedesktop.DBus.Error.ServiceUnknown': [
    'cannot be asked for: systemd is not running there',
    'services need a host that was started by systemd',
  ],
  'org.freedesktop.DBus.Error.NameHasNoOwner': [
    'cannot be asked for: systemd is not running there',
    'services need a host that was started by systemd',
  ],
}

/** What the bus says, about a unit and with what to do. */
export function told(name: string, error: unknown): HarmonyError {
  if (!(error instanceof BusError)) {
    if (error instanceof HarmonyError) return error
    return new HarmonyError('internal', `${name}: ${String(error)}`, { cause: error })
  }
  const [message, hint] = meanings[error.errorName] ?? [undefined, undefined]
  return new HarmonyError(
    'refused',
    message ? `${name} ${message}: ${error.message}` : `${name}: ${error.message}`,
    { hint, cause: error, data: { unit: name, dbusError: error.errorName } },
  )
}
