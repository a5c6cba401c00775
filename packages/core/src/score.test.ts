import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { defineComposite } from './composite.ts'
import { asset, bytes, isSecretable, ref, secret, secretable, secretText, text } from './late.ts'
import { type AnyScore, defineScore } from './score.ts'

const interpret = {
  observe: async () => ({}),
  compare: () => [],
  converge: async () => undefined,
  remove: async () => undefined,
}
const Thing = defineScore({
  kind: 'Thing',
  version: 2,
  needs: [],
  spec: z.strictObject({
    name: z.string(),
    size: z.number().optional(),
    token: secretable(ref(z.string())).optional(),
    mode: z.string().default('0644'),
  }),
  identity: (spec) => spec.name,
  interpret: { ...interpret, outputs: () => ({ port: 80 }) },
  reactions: { restartOn: async () => undefined },
})
const issues = (score: AnyScore) =>
  score['~score'].issues.map(({ path, message }) => `${path.join('.')}: ${message}`)

test('a Score is plain frozen data with an address', () => {
  const score = Thing({ name: 'a', protect: true })
  expect(JSON.parse(JSON.stringify(score))).toEqual({
    kind: 'Thing',
    version: 2,
    id: 'Thing:a',
    spec: { name: 'a', mode: '0644' },
    options: { after: [], formerly: [], retain: false, protect: true, adopt: false, reactions: {} },
  })
  expect(Object.isFrozen(score)).toBe(true)
})

test('options hold addresses, not Scores', () => {
  const a = Thing({ name: 'a' })
  expect(Thing({ name: 'b', after: [a], restartOn: [a] }).options).toMatchObject({
    after: ['Thing:a'],
    reactions: { restartOn: ['Thing:a'] },
  })
})

describe('an invalid spec', () => {
  test('is told with all its issues and their paths', () => {
    const bad = Thing({ name: 1, sise: 2, mode: true } as never)
    expect(issues(bad)).toEqual([
      'name: invalid input: expected string, received number',
      'mode: invalid input: expected string, received boolean',
      'sise: unknown field',
    ])
  })

  test('names the file and line where it was made, and the address as far as it is known', () => {
    const bad = Thing({ name: 'a', size: 'x' } as never)
    expect(bad.id).toBe('Thing:a')
    expect(bad['~score'].at).toMatch(/score\.test\.ts:\d+:\d+$/)
  })

  test.each([
    ['a plain wrong value', 5, 'token: invalid input: expected string, received number'],
    ['a misspelt secret', { $secret: 'x', evn: 'Y' }, 'token.evn: unknown field'],
    [
      'a secret without a name',
      { $secret: '' },
      'token.$secret: too small: expected string to have >=1 characters',
    ],
    ['a misspelt mark', { $sercet: 'x' }, 'token: invalid input: expected string, received object'],
  ])('of a field that takes a secret or a reference is readable: %s', (_, token, message) => {
    expect(issues(Thing({ name: 'a', token } as never))).toContain(message)
  })

  test.each([
    [{ after: 'x' }, 'after: must be a list of Scores'],
    [{ after: [{}] }, 'after.0: must be a Score'],
    [{ protect: 'yes' }, 'protect: must be true or false'],
    [{ formerly: [1] }, 'formerly: must be a list of earlier identities'],
    [{ id: 'x' }, 'id: id is reserved and not in use yet'],
  ])('options as well: %j', (options, message) => {
    expect(issues(Thing({ name: 'a', ...options } as never))).toEqual([message])
  })

  test.each([[undefined], [null], [[]], ['x'], [5]])('even %j is no crash', (input) => {
    expect(issues(Thing(input as never))).toHaveLength(1)
  })
})

test('text with secrets within text with secrets is one text', () => {
  const inner = secretText`a${secret('b')}c`
  expect(secretText`x${inner}y`.$secret).toEqual(['x', 'a', secret('b'), 'c', 'y'])
  expect(issues(Thing({ name: 'a', token: secretText`x${inner}y` }))).toEqual([])
})

test('a field that takes a secret is known as one to another copy of this package', async () => {
  const copy = (await import('./late.ts?copy' as string)) as typeof import('./late.ts')
  expect(copy.isSecretable).not.toBe(isSecretable)
  expect(copy.isSecretable(secretable(z.string()))).toBe(true)
  expect(copy.isSecretable(z.string())).toBe(false)
})

describe('an output', () => {
  test('is a reference', () => {
    expect(Thing({ name: 'a' }).out.port).toMatchObject({ $ref: 'Thing:a', output: 'port' })
  })
  test('refuses to become part of a bare template literal, and says how', () => {
    const { port } = Thing({ name: 'a' }).out
    expect(() => `${port}`).toThrow(expect.objectContaining({ hint: expect.stringContaining('text`') }))
  })
  test.each([
    ['a secret', () => `psk=${secret('wifi')}`],
    ['text with a secret', () => `${secretText`a${secret('b')}`}`],
    ['an asset', () => `${asset('./x')}`],
    ['bytes', () => `${bytes(new Uint8Array([1]))}`],
    ['text with an output', () => `${text`${Thing({ name: 'a' }).out.port}`}`],
  ])('so does %s', (_, interpolate) => {
    expect(interpolate).toThrow(
      expect.objectContaining({ code: 'invalid-value', hint: expect.stringContaining('write ') }),
    )
  })
  test('goes into text with the tag, and back through JSON', () => {
    const made = text`http://localhost:${Thing({ name: 'a' }).out.port}/`
    expect(JSON.parse(JSON.stringify(made))).toEqual({
      $ref: '',
      output: '',
      $text: ['http://localhost:', { $ref: 'Thing:a', output: 'port' }, '/'],
    })
    expect(issues(Thing({ name: 'b', token: made }))).toEqual([])
  })
})

test('a secret is a reference that nothing can be read from', () => {
  expect(JSON.stringify(Thing({ name: 'a', token: secret('psk') }).spec)).toBe(
    '{"name":"a","token":{"$secret":"psk"},"mode":"0644"}',
  )
})

describe('a kind is refused when it is defined', () => {
  test.each([
    [
      'a field with the name of an option',
      { spec: z.strictObject({ name: z.string(), after: z.string() }) },
      'the field after has the name of an option',
    ],
    [
      'a field with the name of a reaction',
      { spec: z.strictObject({ restartOn: z.string() }), reactions: { restartOn: async () => undefined } },
      'the field restartOn',
    ],
    ['a spec that takes unknown fields', { spec: z.object({ name: z.string() }) }, 'not strict'],
    ['a name in lower case', { kind: 'thing' }, 'UpperCamelCase'],
    ['version 0', { version: 0 }, 'version is an integer from 1'],
  ])('%s', (_, change, message) => {
    const definition = {
      kind: 'Bad',
      version: 1,
      needs: [],
      spec: z.strictObject({ name: z.string() }),
      identity: () => 'x',
      interpret,
      ...change,
    }
    expect(() => defineScore(definition as never)).toThrow(message)
  })
})

describe('a schema that is given as a function', () => {
  const kind = { kind: 'Late', version: 1, needs: [], interpret } as const

  test('is made for the first Score, and once', () => {
    let times = 0
    const schema = () => {
      times += 1
      return z.strictObject({ name: z.string() })
    }
    const Late = defineScore({
      ...kind,
      spec: schema,
      identity: (spec) => spec.name,
      interpret: interpret as never,
    })
    expect(times).toBe(0)
    expect(Late({ name: 'a' }).id).toBe('Late:a')
    expect(issues(Late({ nam: 'b' } as never))).not.toEqual([])
    expect(times).toBe(1)
    // @ts-expect-error a wrong field is refused as ever
    void Late({ name: 1 })
  })

  test('is refused then when it is unusable', () => {
    const Late = defineScore({
      ...kind,
      spec: () => z.object({}),
      identity: () => 'x',
    } as never) as unknown as () => unknown
    expect(() => Late()).toThrow('the kind Late: the spec is not strict')
  })
})

test('a composite passes on the issues of what it composes', () => {
  const Pair = defineComposite({
    kind: 'Pair',
    version: 1,
    needs: [],
    spec: z.strictObject({ name: z.string() }),
    identity: (spec) => spec.name,
    compose: () => [Thing({ name: 2 } as never), 'x' as never],
  })
  const pair = Pair({ name: 'p' })
  expect(pair['~score'].children?.map((child) => child.id)).toEqual(['Thing:?'])
  expect(issues(pair)).toEqual([': Pair.compose returned something that is not a Score: string'])
})
