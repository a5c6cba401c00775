import { describe, expect, test } from 'vitest'
import { signEnvelope, writeEnvelope } from '../bundle/envelope.ts'
import { answering } from '../requests/answer.ts'
import { requestsOver } from '../requests/ask.ts'
import { MemoryCarrier } from '../requests/memory-carrier.ts'
import type { Received } from '../requests/requests.ts'
import { newKey, type SealingKey, type SigningKey } from './private-key.ts'
import { agentKeys, askerKeys, requestType } from './request-keys.ts'
import type { TrustedKey } from './trust.ts'

const [alice, mallory] = [newKey('ed25519', 'alice'), newKey('ed25519', 'mallory')]
const sealing = newKey('x25519')
const trust: TrustedKey = { key: alice.public, projects: 'any', until: 1000 }
const agent = agentKeys(
  sealing,
  () => [trust],
  () => 0,
)
const asker = (key: SigningKey = alice, pinned: SealingKey = sealing) => askerKeys([key], () => pinned.public)

async function collect(parts: AsyncIterable<unknown>): Promise<readonly unknown[]> {
  const all: unknown[] = []
  for await (const part of parts) all.push(part)
  return all
}

test('a request goes to an agent, and its answer back, over whatever carries it', async () => {
  const carrier = new MemoryCarrier()
  const received: Received[] = []
  const serve = answering({
    agent: 'kiosk-1',
    keys: agent,
    async *answer(question) {
      received.push(question)
      yield { step: 1 }
      yield 'done'
    },
  })
  await using _ = carrier.listen('kiosk-1', serve)
  const question = { verb: 'plan', params: { project: 'shop' } }
  const parts = await collect(requestsOver(carrier, asker()).ask('kiosk-1', question, { withinMs: 10_000 }))
  expect(parts).toEqual([{ step: 1 }, 'done'])
  expect(received).toEqual([{ ...question, signer: alice.public.fingerprint }])

  const stranger = requestsOver(carrier, asker(mallory)).ask('kiosk-1', question, { withinMs: 10_000 })
  await expect(collect(stranger)).rejects.toMatchObject({ code: 'request-refused' })
  expect(received).toHaveLength(1)
})

describe('an agent hears nobody', () => {
  const payload = Buffer.from('{}')
  const signed = (key: SigningKey, type = requestType) => writeEnvelope(signEnvelope(type, payload, [key]))
  test.each<readonly [string, Uint8Array]>([
    ['whom it does not trust', signed(mallory)],
    ['who signed a bundle', signed(alice, 'application/vnd.harmony-iac.bundle+json')],
    ['who signed nothing', Buffer.from('{}')],
    ['without a signature', writeEnvelope(signEnvelope(requestType, payload, []))],
  ])('%s', (_, envelope) => {
    expect(() => agent.verify(envelope)).toThrow(expect.objectContaining({ code: 'refused' }))
  })
  test('whose time is over', () => {
    const late = agentKeys(
      sealing,
      () => [trust],
      () => 1001,
    )
    expect(() => late.verify(signed(alice))).toThrow(expect.objectContaining({ code: 'refused' }))
    expect(agent.verify(signed(alice))).toMatchObject({ signer: alice.public.fingerprint })
  })
})

describe('an answer', async () => {
  const { key, open } = await asker().sealing('kiosk-1')
  const plain = Buffer.from('the plan')
  const sealed = await agent.seal(plain, key, 'one')

  test('opens for who asked', async () => {
    expect(await open(sealed, 'one')).toEqual(plain)
  })
  test.each<readonly [string, () => Promise<Uint8Array> | Uint8Array, string]>([
    ['in another place', () => sealed, 'two'],
    ['cut off', () => sealed.subarray(0, -1), 'one'],
    ['of nothing', () => new Uint8Array(), 'one'],
    [
      'by somebody else',
      () =>
        agentKeys(
          newKey('x25519'),
          () => [],
          () => 0,
        ).seal(plain, key, 'one'),
      'one',
    ],
    [
      'to another request',
      async () => await agent.seal(plain, (await asker().sealing('kiosk-1')).key, 'one'),
      'one',
    ],
  ])('does not open %s', async (_, given, context) => {
    const bytes = await given()
    expect(() => open(bytes, context)).toThrow(expect.objectContaining({ code: 'refused' }))
  })
})
