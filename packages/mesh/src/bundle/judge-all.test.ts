import { expect, test } from 'vitest'
import { alice, bundleOf, contextOf } from '../../test/bundles.ts'
import { Thing } from '../../test/kinds.ts'
import { writeEnvelope } from './envelope.ts'
import { after, judgeAll } from './judge-all.ts'
import { signBundle } from './make-bundle.ts'

const shipped = async (project: string, generation: number, ...paths: readonly string[]) =>
  writeEnvelope(
    signBundle(
      await bundleOf(
        paths.map((path) => Thing({ path })),
        { project, generation },
      ),
      [alice],
    ),
  )
const garbage = Buffer.from('garbage')
const reasons = (envelopes: readonly Uint8Array[], context = contextOf()) =>
  judgeAll(envelopes, context).map((verdict) =>
    verdict.verdict === 'rejected' ? verdict.rejection.reason : verdict.verdict,
  )
const [bank, shop] = [await shipped('bank', 1, '/srv/bank'), await shipped('shop', 1, '/srv/a', '/srv/b')]

/** What an agent knows that has accepted both. */
const settled = judgeAll([bank, shop], contextOf()).reduce(
  (context, verdict) => (verdict.verdict === 'accepted' ? after(context, verdict) : context),
  contextOf(),
)

test('each has its verdict, in the order of the list', () => {
  expect(reasons([garbage, bank, garbage, shop])).toEqual(['garbled', 'accepted', 'garbled', 'accepted'])
  expect(reasons([])).toEqual([])
})

test('what is in force already is nothing new', () => {
  expect(reasons([shop, bank], settled)).toEqual(['current', 'current'])
})

test('of two that want one thing anew the first gets it', async () => {
  const [a, b] = [await shipped('bank', 1, '/srv/x'), await shipped('shop', 1, '/srv/x')]
  expect(reasons([a, b])).toEqual(['accepted', 'claim-conflict'])
  expect(reasons([b, a])).toEqual(['accepted', 'claim-conflict'])
})

test('who has a thing keeps it, wherever the other one stands in the list', async () => {
  const greedy = await shipped('bank', 2, '/srv/b')
  expect(reasons([greedy, shop], settled)).toEqual(['claim-conflict', 'current'])
})

test('what one lets go another may have at once, whoever comes first', async () => {
  const [taker, giver] = [await shipped('bank', 2, '/srv/b'), await shipped('shop', 2, '/srv/a')]
  expect(reasons([taker, giver], settled)).toEqual(['accepted', 'accepted'])
  expect(reasons([giver, taker], settled)).toEqual(['accepted', 'accepted'])
})

test('two that exchange things are both refused: neither has let go', async () => {
  const [a, b] = [await shipped('bank', 2, '/srv/b'), await shipped('shop', 2, '/srv/bank')]
  expect(reasons([a, b], settled)).toEqual(['claim-conflict', 'claim-conflict'])
})

test('a chain of things that are let go is followed to its end', async () => {
  const list = [
    await shipped('bank', 2, '/srv/a'),
    await shipped('news', 1, '/srv/bank'),
    await shipped('shop', 2, '/srv/c'),
  ]
  expect(reasons(list, settled)).toEqual(['accepted', 'accepted', 'accepted'])
})
