import { describe, expect, test } from 'vitest'
import { sudoError, sudoRefusal } from './sudo-errors.ts'

describe('what sudo says, of several versions', () => {
  test.each([
    ['sudo: a password is required', 1, 'password-needed'],
    ['sudo: a terminal is required to read the password; either use the -S option', 1, 'password-needed'],
    ['sudo: interactive authentication is required', 1, 'password-needed'],
    ['sudo: A terminal is required to authenticate', 1, 'password-needed'],
    [
      'Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt',
      1,
      'wrong-password',
    ],
    ['sudo: 3 incorrect password attempts', 1, 'wrong-password'],
    ['sudo: 1 incorrect authentication attempt', 1, 'wrong-password'],
    [
      'pi is not in the sudoers file.\nThis incident has been reported to the administrator.',
      1,
      'not-allowed',
    ],
    ['sudo: I’m afraid I can’t do that. pi is not allowed to run sudo on kiosk.', 1, 'not-allowed'],
    ['Sorry, user pi may not run sudo on kiosk.', 1, 'not-allowed'],
    ["Sorry, user pi is not allowed to execute '/bin/sh -c id' as root on kiosk.", 1, 'not-allowed'],
    // sudo-rs
    ['[sudo: x] Password: \nsudo: Authentication failed, try again.', 1, 'wrong-password'],
    ['sudo: Maximum 3 incorrect authentication attempts', 1, 'wrong-password'],
    ["sudo: I'm sorry pi. I'm afraid I can't do that", 1, 'not-allowed'],
    ['sudo: sorry, you must have a tty to run sudo', 1, 'needs-terminal'],
    ['sudo: command not found', 127, 'missing'],
    ['', 127, 'missing'],
    ['sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set', 1, 'broken'],
    [
      'sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the nosuid option set?',
      1,
      'broken',
    ],
    ['', null, 'broken'],
  ] as const)('%j with status %j: %s', (said, status, refusal) => {
    expect(sudoRefusal(said, status)).toBe(refusal)
  })
})

const who = { name: 'kiosk', host: 'kiosk.local', port: 22, user: 'pi' }

test('its own words are told, in one line, without what else was printed', () => {
  const said =
    'welcome to kiosk\nsudo: /etc/sudo.conf is world writable\nsudo: no valid sudoers sources found, quitting\n'
  expect(sudoError(who, 'broken', said)).toMatchObject({
    code: 'auth-failed',
    message:
      'kiosk: sudo runs nothing for pi: sudo: /etc/sudo.conf is world writable sudo: no valid sudoers sources found, quitting',
  })
})

test('the scripts of ours that sudo quotes are left out', () => {
  const said = `Sorry, user pi is not allowed to execute '/bin/sh -c read\nsudo x\n"it's"' as root on kiosk.\n`
  expect(sudoError(who, 'not-allowed', said).message).toBe(
    'kiosk: pi may not become root by sudo: Sorry, user pi is not allowed to execute what Harmony runs (/bin/sh) as root on kiosk.',
  )
})
