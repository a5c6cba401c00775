import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { asset, bytes, ref, type Sensitive, secret, secretable, secretText, text } from '../late.ts'
import { defineScore } from '../score.ts'
import type { Sources } from './contract.ts'
import { digestOfSpec, resolveSpec } from './resolve.ts'

const Thing = defineScore({
  kind: 'Thing',
  version: 1,
  needs: [],
  spec: z.strictObject({
    name: z.string(),
    token: secretable(ref(z.string())).optional(),
    env: z.record(z.string(), secretable(z.string())).optional(),
    list: z
      .array(z.strictObject({ key: secretable(z.string()) }))
      .readonly()
      .optional(),
    body: z.unknown().optional(),
  }),
  identity: (spec) => spec.name,
  interpret: {
    observe: async () => ({}),
    compare: () => [],
    converge: async () => undefined,
    remove: async () => undefined,
    outputs: () => ({ port: 80 }),
  },
})
const content = { sha256: 'abc', size: 3, open: async function* () {} }
const sources: Sources = {
  secret: async ({ $secret }) => `value-of-${$secret}`,
  asset: async (path) => ({ ...content, sha256: `sha of ${path}` }),
}
const outputs = async () => 8080
const resolve = async (spec: unknown) => await resolveSpec(Thing(spec as never), sources, outputs)
interface Revealed {
  readonly token: Sensitive<string>
  readonly env: Record<string, Sensitive<string>>
  readonly list: readonly { key: Sensitive<string> }[]
}

test('a spec without late values is not awaited, and its secretable fields are wrapped all the same', () => {
  const resolved = resolveSpec(
    Thing({ name: 'a', token: 'plain', env: { A: 'b' }, list: [{ key: 'k' }] }),
    sources,
    outputs,
  )
  if (resolved instanceof Promise) throw new Error('was awaited')
  const spec = resolved.spec as Revealed
  expect([spec.token.reveal(), spec.env.A?.reveal(), spec.list[0]?.key.reveal()]).toEqual(['plain', 'b', 'k'])
  expect([...resolved.tainted]).toEqual([])
})

test('secrets are fetched, their fields tainted, their values redacted', async () => {
  const { spec, tainted, redact } = await resolve({
    name: 'a',
    env: { A: secret('x'), B: 'plain' },
    token: secretText`postgres://${secret('db')}@host`,
  })
  const { env, token } = spec as Revealed
  expect([env.A?.reveal(), env.B?.reveal(), token.reveal()]).toEqual([
    'value-of-x',
    'plain',
    'postgres://value-of-db@host',
  ])
  expect([...tainted].sort()).toEqual(['env', 'token'])
  expect(redact('got value-of-db and value-of-x')).toBe('got •••••• and ••••••')
})

test('a sensitive value gives nothing away unless asked', async () => {
  const { token } = (await resolve({ name: 'a', token: secret('x') })).spec as Revealed
  expect(`${token} ${JSON.stringify({ token })} ${Object.values(token).join()}`).not.toContain('value-of')
})

test('outputs, assets and bytes are filled in', async () => {
  const port = Thing({ name: 'db' }).out.port
  const { spec } = await resolve({
    name: 'a',
    token: text`:${port}`,
    body: [asset('./x'), bytes(new Uint8Array([1, 2]))],
  })
  const { token, body } = spec as Revealed & { body: unknown[] }
  expect(token.reveal()).toBe(':8080')
  expect(body).toEqual([expect.objectContaining({ sha256: 'sha of ./x' }), new Uint8Array([1, 2])])
})

describe('the digest of a spec', () => {
  const digest = (spec: unknown, from: Sources = sources) => digestOfSpec(Thing(spec as never), from)
  test('covers the content of assets', async () => {
    const spec = { name: 'a', body: asset('./x') }
    expect(await digest(spec)).not.toBe(await digest(spec, { ...sources, asset: async () => content }))
  })
  test('does not cover the values of secrets, which it would give away', async () => {
    const spec = { name: 'a', token: secret('x') }
    expect(await digest(spec)).toBe(await digest(spec, { ...sources, secret: async () => 'other' }))
  })
})
