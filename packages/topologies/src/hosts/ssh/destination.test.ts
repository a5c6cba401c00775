import { expect, test } from 'vitest'
import { parseDestination } from './destination.ts'

test.each([
  { text: 'kiosk', is: { host: 'kiosk' } },
  { text: 'pi@kiosk.local', is: { host: 'kiosk.local', user: 'pi' } },
  { text: 'kiosk:2222', is: { host: 'kiosk', port: 2222 } },
  { text: 'ada@example.org@kiosk', is: { host: 'kiosk', user: 'ada@example.org' } },
  { text: '10.0.0.1:22', is: { host: '10.0.0.1', port: 22 } },
  { text: '[::1]:2222', is: { host: '::1', port: 2222 } },
  { text: '[::1]', is: { host: '::1' } },
  { text: '2001:db8::2', is: { host: '2001:db8::2' } },
  { text: 'pi@[fe80::1%eth0]:22', is: { host: 'fe80::1%eth0', user: 'pi', port: 22 } },
  { text: 'ssh://kiosk', is: { host: 'kiosk' } },
  { text: 'SSH://pi@kiosk:2222/', is: { host: 'kiosk', user: 'pi', port: 2222 } },
  { text: 'ssh://p%40i@kiosk', is: { host: 'kiosk', user: 'p@i' } },
])('$text', ({ text, is }) => {
  expect(parseDestination(text)).toEqual(is)
})

test.each([
  { text: '', why: '"" is not the name of a host' },
  { text: '@kiosk', why: '"" is not the name of a user' },
  { text: 'pi@', why: '"" is not the name of a host' },
  { text: '-oProxyCommand=x', why: 'is not the name of a host' },
  { text: '-l@kiosk', why: 'is not the name of a user' },
  { text: 'ki osk', why: 'is not the name of a host' },
  { text: 'kiosk\n', why: 'is not the name of a host' },
  { text: 'kiosk;reboot', why: 'is not the name of a host' },
  { text: '$(reboot)', why: 'is not the name of a host' },
  { text: 'a:b:c', why: 'it has several colons and is no IPv6 address' },
  { text: 'kiosk:', why: '"" is not a port' },
  { text: 'kiosk:0', why: '"0" is not a port' },
  { text: 'kiosk:65536', why: '"65536" is not a port' },
  { text: 'kiosk:ssh', why: '"ssh" is not a port' },
  { text: 'ssh://kiosk/path', why: 'is not the name of a host' },
  { text: 'ssh://pi:secret@kiosk', why: 'only the name of the user' },
  { text: 'ssh://pi;fingerprint=x@kiosk', why: 'only the name of the user' },
  { text: 'ssh://p%@kiosk', why: 'is not percent-encoded' },
])('$text is none', ({ text, why }) => {
  expect(() => parseDestination(text)).toThrow(why)
  expect(() => parseDestination(text)).toThrow(expect.objectContaining({ code: 'invalid-value' }))
})

test('a password is not repeated in the message', () => {
  expect(() => parseDestination('ssh://pi:secret@kiosk')).not.toThrow('secret')
})
