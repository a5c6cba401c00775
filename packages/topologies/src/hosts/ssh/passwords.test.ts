import { HarmonyError, isHarmonyError } from '@harmony-iac/core'
import type { Attendant } from '@harmony-iac/core/attendant'
import { expect, test } from 'vitest'
import type { Asking } from './asking.ts'
import type { SshSettings } from './config.ts'
import type { Credential } from './connect.ts'
import { askedCredentials, type Login } from './passwords.ts'

const login: Login = {
  name: 'kiosk',
  host: 'kiosk.local',
  port: 22,
  user: 'pi',
  secret: undefined,
  login: {
    agent: undefined,
    identityFiles: 'default',
    identitiesOnly: false,
    publicKey: true,
    password: true,
    keyboardInteractive: true,
    batch: false,
  },
}

/** People who know these passwords, and answer other questions with their text. */
function people(...passwords: readonly string[]): Asking & { readonly refused: (string | undefined)[] } {
  const left = [...passwords]
  const refused: (string | undefined)[] = []
  const who: Attendant = {
    present: true,
    ask: async ({ prompt }) => `to ${prompt}`,
    secret: () => Promise.reject(new Error('no secret is wanted')),
  }
  return {
    refused,
    inTurn: (work) => work(who),
    async password(wanted) {
      refused.push(wanted.refused)
      const next = left.shift()
      if (next === undefined) throw new HarmonyError('auth-failed', 'none was given')
      return next
    },
  }
}

/** What is tried at a host that takes these methods and accepts nothing. */
async function tried(
  offered: readonly string[],
  asking: Asking,
  change: Partial<SshSettings['login']> = {},
): Promise<(Credential | HarmonyError | undefined)[]> {
  const found: (Credential | HarmonyError | undefined)[] = []
  for (const [i, ask] of askedCredentials(
    { ...login, login: { ...login.login, ...change } },
    asking,
  ).entries())
    found.push(await ask(i === 0 ? undefined : offered))
  return found
}

test('a host is asked first what it takes, then given three passwords, each knowing the one before', async () => {
  const asking = people('a', 'b', 'c', 'd')
  expect(await tried(['publickey', 'password'], asking)).toEqual([
    { type: 'none' },
    { type: 'password', password: 'a' },
    { type: 'password', password: 'b' },
    { type: 'password', password: 'c' },
  ])
  expect(asking.refused).toEqual([undefined, 'a', 'b'])
})

test('nobody is asked where the host takes only keys, or the configuration says so', async () => {
  const asking = people('a')
  expect(await tried(['publickey'], asking)).toEqual([{ type: 'none' }, undefined, undefined, undefined])
  expect(await tried(['password'], asking, { password: false })).toEqual([
    { type: 'none' },
    undefined,
    undefined,
    undefined,
  ])
  expect(await tried(['password'], asking, { password: false, keyboardInteractive: false })).toEqual([])
  expect(asking.refused).toEqual([])
})

test('who gives none is not asked again', async () => {
  const asking = people('a')
  const found = await tried(['password'], asking)
  expect(found.map((each) => (isHarmonyError(each) ? each.message : each?.type))).toEqual([
    'none',
    'password',
    'none was given',
    undefined,
  ])
  expect(asking.refused).toHaveLength(2)
})

test('a dialogue is answered: its password as a password, and other questions as they are', async () => {
  const [, first] = await tried(['keyboard-interactive'], people('a'))
  if (first === undefined || isHarmonyError(first) || first.type !== 'dialogue')
    throw new Error('no dialogue')
  expect(await first.answer([{ prompt: 'Password: ', echo: false }])).toEqual(['a'])
  expect(
    await first.answer([
      { prompt: 'One-time code: ', echo: true },
      { prompt: 'New password: ', echo: false },
    ]),
  ).toEqual(['to One-time code', 'to New password'])
})

test('a dialogue is not begun where nobody may be asked', async () => {
  const found = await tried(['keyboard-interactive'], people('a'), { batch: true })
  expect(found[1]).toMatchObject({
    code: 'auth-failed',
    message: 'kiosk: the host has questions, and nobody can be asked',
  })
  expect(found.slice(2)).toEqual([undefined, undefined])
})
