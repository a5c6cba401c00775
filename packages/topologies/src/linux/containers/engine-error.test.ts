import { HarmonyError } from '@harmony-iac/core'
import { expect, test } from 'vitest'
import { EngineError, told } from './engine-error.ts'

test.each<[says: string, code: string, message: string]>([
  ['write /var/lib/docker/tmp/x: no space left on device', 'refused', 'the disk of the host is full'],
  [
    'driver failed programming external connectivity on endpoint web: Bind for 0.0.0.0:80 failed: port is already allocated',
    'refused',
    'a port of the host is taken',
  ],
  [
    'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "nope": executable file not found in $PATH: unknown',
    'refused',
    'there is no program nope in the image',
  ],
  ['exec /bin/app: exec format error', 'refused', 'for another kind of processor'],
  ['unable to find user app: no matching entries in passwd file', 'refused', 'there is no user app'],
  [
    'invalid mount config for type "bind": bind source path does not exist: /srv/x',
    'refused',
    '/srv/x does not',
  ],
  ['network backend not found', 'refused', 'there is no network backend'],
  // Not an image that is missing in a registry.
  ['plugin "nfs" not found', 'refused', 'there is no driver nfs on the host'],
  [
    'create data: Error looking up volume plugin nfs: plugin "nfs" not found',
    'refused',
    'there is no driver nfs',
  ],
  ['Pool overlaps with other one on this address space', 'refused', 'overlaps'],
  ['error while removing network: network backend id 1 has active endpoints', 'refused', 'are in it still'],
  ['remove data: volume is in use - [1]', 'refused', 'a container stands on it still'],
  [
    'Head "https://lan/v2/app/manifests/1": no basic auth credentials',
    'refused',
    'does not accept the login',
  ],
  [
    'pull access denied for app, repository does not exist or may require docker login: denied',
    'refused',
    'the registry has no such image',
  ],
  ['manifest for lan/app:9 not found: manifest unknown: manifest unknown', 'refused', 'has no such image'],
  ['No such image: app:1', 'refused', 'the host has no such image'],
  ['Get "https://lan/v2/": dial tcp: lookup lan: no such host', 'unreachable', 'cannot be reached'],
  ['toomanyrequests: You have reached your pull rate limit', 'refused', 'gives no more images'],
  ['something that nobody has seen before', 'refused', 'web: something that nobody has seen before'],
])('"%s" is %s, in words that tell what to do', (says, code, message) => {
  const error = told('web', new EngineError(500, says))
  expect(error.code).toBe(code)
  expect(error.message).toContain(message)
  expect(error.message).toMatch(/^web: /)
  expect(error.hint).toBeTruthy()
})

test('a connection that breaks is an engine that went away; a fault of ours is not', () => {
  const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
  expect(told('web', reset)).toMatchObject({ code: 'unreachable', cause: reset })
  expect(told('web', new TypeError('x is not a function'))).toMatchObject({ code: 'internal' })
  const own = new HarmonyError('timeout', 'too late')
  expect(told('web', own)).toBe(own)
})
