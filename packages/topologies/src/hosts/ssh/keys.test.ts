import { expect, test } from 'vitest'
import type { LoginSettings } from './config.ts'
import { credentials } from './keys.ts'

const login: LoginSettings = {
  agent: undefined,
  identityFiles: 'default',
  identitiesOnly: false,
  publicKey: true,
  password: true,
  keyboardInteractive: true,
  batch: false,
}
const usual = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `/home/ada/.ssh/${name}`)
const files = (paths: readonly string[], configured: boolean) =>
  paths.map((path) => ({ kind: 'key-file', path, configured }))

test.each([
  { what: 'nothing is configured: the usual files', given: {}, tried: files(usual, false) },
  {
    what: 'there is an agent: its keys, then the usual files',
    given: { agent: '/run/agent' },
    tried: [{ kind: 'agent', socket: '/run/agent', only: undefined }, ...files(usual, false)],
  },
  {
    what: 'files are configured: these, in order, and no others',
    given: { identityFiles: ['/b', '/a'] },
    tried: files(['/b', '/a'], true),
  },
  {
    what: 'only these may be offered: the agent too is held to them',
    given: { agent: '/run/agent', identityFiles: ['/a'], identitiesOnly: true },
    tried: [{ kind: 'agent', socket: '/run/agent', only: ['/a'] }, ...files(['/a'], true)],
  },
  {
    what: 'only the usual ones may be offered',
    given: { agent: '/run/agent', identitiesOnly: true },
    tried: [{ kind: 'agent', socket: '/run/agent', only: usual }, ...files(usual, false)],
  },
  {
    what: 'files are turned off',
    given: { agent: '/run/agent', identityFiles: [] },
    tried: [{ kind: 'agent', socket: '/run/agent', only: undefined }],
  },
  { what: 'keys are turned off', given: { agent: '/run/agent', publicKey: false }, tried: [] },
])('$what', ({ given, tried }) => {
  expect(credentials({ ...login, ...given }, '/home/ada')).toEqual(tried)
})
