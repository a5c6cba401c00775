import { asset, type Content } from '@harmony-iac/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { alice, contentOf, lineage, sourcesOf } from '../../test/bundles.ts'
import { Thing } from '../../test/kinds.ts'
import { storeUncertain, storeUnreachable } from '../store/errors.ts'
import { memoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import { type ContentId, chunkKey, joinContent, manifestKey, readManifest } from './chunks.ts'
import { desiredStateKey } from './desired-state.ts'
import { writeEnvelope } from './envelope.ts'
import { chunkSize, fullList } from './limits.ts'
import { makeBundle, signBundle } from './make-bundle.ts'
import { nextGeneration, readShipped, type Shipment, type ShippingStore, ship } from './ship.ts'

const agent = 'kiosk-1'
const key = desiredStateKey(agent)

/** A store whose next put may meet with something first. */
class TroubledStore implements ShippingStore {
  readonly inner: Store = memoryStore()
  readonly puts: string[] = []
  readonly troubles: ((key: string) => Promise<void> | void)[] = []
  /** Written, and nobody is told. */
  answersLost = 0

  get: Store['get'] = (at, options) => this.inner.get(at, options)

  put: Store['put'] = async (at, value, expected) => {
    await this.troubles.shift()?.(at)
    const written = await this.inner.put(at, value, expected)
    this.puts.push(at)
    if (this.answersLost-- > 0) throw storeUncertain(at)
    return written
  }

  async textAt(at: string): Promise<string | undefined> {
    const entry = await this.inner.get(at)
    return entry && Buffer.from(entry.value).toString()
  }
}

async function shipmentOf(project: string, generation = 1, content?: Uint8Array): Promise<Shipment> {
  const { bundle, contents } = await makeBundle({
    project,
    lineage,
    agent,
    generation,
    issuedAt: 0,
    scores: [Thing({ path: `/${project}`, content: content ? asset('./big') : 'small' })],
    sources: sourcesOf({}, content && { './big': content }),
  })
  return { bundle, envelope: signBundle(bundle, [alice]), contents }
}

const projects = async (store: ShippingStore) =>
  (await readShipped(store, agent)).bundles.map(({ project, generation }) => [project, generation])

let store = new TroubledStore()
beforeEach(() => {
  store = new TroubledStore()
})

test('the first bundle makes the list, others join it', async () => {
  await ship(store, await shipmentOf('shop'))
  await ship(store, await shipmentOf('bank'))
  await ship(store, await shipmentOf('shop', 2))
  expect(await projects(store)).toEqual([
    ['bank', 1],
    ['shop', 2],
  ])
})

test('shipping the same bundle again changes nothing', async () => {
  const shipment = await shipmentOf('shop')
  const { revision } = await ship(store, shipment)
  expect(await ship(store, shipment)).toEqual({ revision })
  expect(store.puts).toEqual([key])
})

test('many who ship at once all get through', async () => {
  const shipments = await Promise.all(Array.from({ length: 20 }, (_, i) => shipmentOf(`p${i}`)))
  await Promise.all(shipments.map((shipment) => ship(store, shipment)))
  expect(await projects(store)).toHaveLength(20)
})

test('who was overtaken by the same project is told, and nothing is lost', async () => {
  const [mine, theirs] = [await shipmentOf('shop', 1), await shipmentOf('shop', 2)]
  store.troubles.push(async () => void (await ship(store, theirs)))
  await expect(ship(store, mine)).rejects.toMatchObject({ code: 'refused' })
  expect(await projects(store)).toEqual([['shop', 2]])
  expect(nextGeneration(await readShipped(store, agent), 'shop')).toBe(3)
})

describe('when the store does not say whether it has written', () => {
  test('and it has, it is not written again', async () => {
    store.answersLost = 1
    await ship(store, await shipmentOf('shop'))
    expect(store.puts).toEqual([key])
  })
  test('and it has not, it is', async () => {
    store.troubles.push(() => {
      throw storeUncertain(key)
    })
    await ship(store, await shipmentOf('shop'))
    expect(await projects(store)).toEqual([['shop', 1]])
  })
  test('and another project was written since, both are there', async () => {
    const other = await shipmentOf('bank')
    store.troubles.push(async () => {
      await ship(store, other)
      throw storeUncertain(key)
    })
    await ship(store, await shipmentOf('shop'))
    expect(await projects(store)).toEqual([
      ['bank', 1],
      ['shop', 1],
    ])
  })
})

test('what else fails is told at once', async () => {
  store.troubles.push(() => {
    throw storeUnreachable('silent', 'nobody answers', 'wait')
  })
  await expect(ship(store, await shipmentOf('shop'))).rejects.toMatchObject({ code: 'store-unreachable' })
})

test('a list that cannot be read is not written over', async () => {
  await store.put(key, Buffer.from('{"precious":true}'), 'any')
  await expect(ship(store, await shipmentOf('shop'))).rejects.toMatchObject({
    code: 'refused',
    data: { key },
  })
  expect(await store.textAt(key)).toBe('{"precious":true}')
})

describe('what is large travels in chunks', () => {
  const big = Buffer.alloc(2 * chunkSize + 100, 'content')
  const read = async (id: ContentId) => {
    const pieces: Uint8Array[] = []
    const manifest = readManifest((await store.get(manifestKey(agent, id)))?.value ?? Buffer.alloc(0), id)
    const chunk = async (index: number) =>
      (await store.get(chunkKey(agent, id, index)))?.value ?? Buffer.alloc(0)
    for await (const piece of joinContent(manifest, chunk)) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  test('content: the chunks first, then what says that they are there, then the list', async () => {
    await ship(store, await shipmentOf('shop', 1, big))
    const id = contentOf(big)
    expect(store.puts).toEqual([
      chunkKey(agent, id, 0),
      chunkKey(agent, id, 1),
      chunkKey(agent, id, 2),
      manifestKey(agent, id),
      key,
    ])
    expect(await read(id)).toEqual(big)
  })

  test('content is shipped once', async () => {
    await ship(store, await shipmentOf('shop', 1, big))
    await ship(store, await shipmentOf('shop', 2, big))
    expect(store.puts.slice(5)).toEqual([key])
  })

  test('whoever was cut off goes on where it was', async () => {
    store.troubles.push(
      () => undefined,
      () => {
        throw storeUnreachable('silent', 'nobody answers', 'wait')
      },
    )
    const shipment = await shipmentOf('shop', 1, big)
    await expect(ship(store, shipment)).rejects.toMatchObject({ code: 'store-unreachable' })
    expect(await store.get(key)).toBeUndefined()
    await ship(store, shipment)
    expect(store.puts.filter((each) => each.endsWith('.0'))).toHaveLength(1)
    expect(await read(contentOf(big))).toEqual(big)
  })

  test('content that changes meanwhile is not shipped', async () => {
    const shipment = await shipmentOf('shop', 1, big)
    const changed: Content = { ...contentOf(big), open: contentOf(big.subarray(1)).open }
    const contents = new Map([[changed.sha256, changed]])
    await expect(ship(store, { ...shipment, contents })).rejects.toMatchObject({ code: 'asset-unreadable' })
    expect(await store.get(key)).toBeUndefined()
  })

  test('an envelope that would make the list too large', async () => {
    const shipments = await Promise.all(
      ['a', 'b', 'c'].map(async (project) => {
        const { bundle } = await makeBundle({
          project,
          lineage,
          agent,
          generation: 1,
          issuedAt: 0,
          scores: [Thing({ path: '/x', content: project.repeat(80_000) })],
          sources: sourcesOf(),
        })
        return { bundle, envelope: signBundle(bundle, [alice]) }
      }),
    )
    for (const shipment of shipments) await ship(store, shipment)
    const list = await readShipped(store, agent)
    const forms = list.bundles.map((each) => ('stored' in each ? 'stored' : 'inline'))
    expect(forms).toEqual(['inline', 'inline', 'stored'])
    expect((await store.get(key))?.value.length).toBeLessThan(fullList)
    const [last] = list.bundles.slice(-1)
    if (!last || !('stored' in last) || !shipments[2]) throw new Error('unreachable')
    expect(await read(last.stored)).toEqual(writeEnvelope(shipments[2].envelope))
    // Again, as by one who did not hear that it was written.
    const { length } = store.puts
    await ship(store, shipments[2])
    expect(store.puts).toHaveLength(length)
  })
})
