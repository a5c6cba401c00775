import { HarmonyError, secret, secretText } from '@harmony-iac/core'
import { openMaestro } from '@harmony-iac/core/engine'
import { beforeEach, describe, expect, test } from 'vitest'
import { Desk, Folder, Note, outcomes, outline } from './world.ts'

const value = 'correct horse battery staple'
let desk: Desk
beforeEach(() => {
  desk = new Desk()
  desk.secrets = { psk: value }
})
const network = () => Note({ path: '/etc/wifi', content: secretText`psk=${secret('psk')}\n` })

/** Everything that Harmony says or keeps, apart from the file that the secret belongs into. */
const everythingSaid = async (plan: unknown) => {
  const stored = [...desk.place.home.stored.values()].map((bytes) => Buffer.from(bytes).toString('latin1'))
  return JSON.stringify([plan, desk.events, stored, await desk.drift()])
}

test('reaches the host, and nothing else: plan, events, ledger and drift do not hold it', async () => {
  const plan = await desk.plan([network()])
  await desk.apply([network()])
  expect(desk.place.disk.read('/etc/wifi')).toBe(`psk=${value}\n`)
  expect(await everythingSaid(plan)).not.toContain(value)
  expect(outline(await desk.plan([network()]))).toEqual([])
})

test('what is there instead is masked as well, and said to be masked', async () => {
  await desk.apply([network()])
  desk.place.disk.write('/etc/wifi', 'psk=an older secret\n')
  const plan = await desk.plan([network()])
  expect(plan.steps[0]?.differences).toEqual([
    { path: 'content', from: '••••••', to: '••••••', settling: false, replaces: false, masked: true },
  ])
  expect(await everythingSaid(plan)).not.toContain('older secret')
})

test('a rotated secret is a difference', async () => {
  await desk.apply([network()])
  desk.secrets = { psk: 'another one' }
  expect(outline(await desk.plan([network()]))).toEqual(['update Note:/etc/wifi'])
})

test('a change of what is masked between plan and apply is noticed all the same', async () => {
  await desk.apply([network()])
  desk.place.disk.write('/etc/wifi', 'one')
  const maestro = await desk.open([network()])
  await maestro.lock({ waitMs: 0 })
  const plan = await maestro.plan()
  desk.place.disk.write('/etc/wifi', 'two')
  expect(outcomes(await maestro.apply(plan))).toEqual({ 'Note:/etc/wifi': 'failure: plan-stale' })
  await maestro.close()
})

test('that is missing is told by the plan, also below a folder that is yet to be made', async () => {
  const missing = new HarmonyError('secret-missing', 'the secret psk is not known')
  const maestro = await openMaestro({
    owner: { project: 'site', lineage: 'l' },
    topology: desk.place,
    home: desk.place.home,
    scores: [Folder({ path: '/etc/net' }), Note({ path: '/etc/net/wifi', content: secret('psk') })],
    sources: { secret: () => Promise.reject(missing), asset: () => Promise.reject(missing) },
    emit: () => undefined,
    holder: 'a test',
  })
  expect((await maestro.plan()).failures).toMatchObject([
    { address: 'Note:/etc/net/wifi', code: 'secret-missing' },
  ])
  await maestro.close()
})

test('that the project gives up is still masked where it stands', async () => {
  await desk.apply([network()])
  const plan = await desk.plan([Note({ path: '/etc/wifi', content: 'psk=changeme\n' })])
  expect(outline(plan)).toEqual(['update Note:/etc/wifi'])
  expect(await everythingSaid(plan)).not.toContain(value)
})

test.each([
  ['of several lines', 'BEGIN\nMIIEvSUPERSECRET\nEND', 'line MIIEvSUPERSECRET of it'],
  ['with a line break at its end', 'hunter2hunter2\n', 'said hunter2hunter2'],
  ['that is a word of JSON', 'null', 'null'],
])('%s is masked in errors, part by part, and breaks nothing', async (_, secretValue, said) => {
  desk.secrets = { psk: secretValue }
  const error = new HarmonyError('refused', said, { data: { said, nested: [{ said }], exitCode: null } })
  desk.place.faults.fail(({ method }) => method === 'writeFile', error, 1)
  const result = await desk.apply([network()])
  const [failed] = result.results
  expect(failed?.error?.code).toBe('refused')
  for (const part of secretValue.split('\n'))
    if (part.length >= 4 && part !== 'null') expect(JSON.stringify([result, desk.events])).not.toContain(part)
  expect(failed?.error?.data).toMatchObject({ exitCode: null })
})

describe('an error that quotes it', () => {
  test('is masked before it leaves the engine', async () => {
    desk.place.faults.fail(({ method }) => method === 'writeFile', new Error(`could not write ${value}`), 1)
    const result = await desk.apply([network()])
    expect(result.results[0]?.error?.message).toBe('could not write ••••••')
    expect(JSON.stringify([result, desk.events])).not.toContain(value)
  })
})
