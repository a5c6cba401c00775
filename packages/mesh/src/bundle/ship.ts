/**
 * Puts an envelope into the list of an agent, where others do the same for other projects: read, change, write if nobody
 * has written since. Chunks come first, so that a list never names what is not there; whoever dies in between leaves
 * chunks that nobody names, and ships them again under the same keys.
 */
import { hash } from 'node:crypto'
import type { Content } from '@harmony-iac/core'
import { HarmonyError, isHarmonyError } from '@harmony-iac/core/errors'
import type { Store } from '../store/store.ts'
import type { Bundle } from './bundle.ts'
import {
  type ContentId,
  chunkKey,
  ManifestMaker,
  manifestKey,
  splitContent,
  writeManifest,
} from './chunks.ts'
import {
  type DesiredState,
  desiredStateKey,
  nothingShipped,
  readDesiredState,
  type Shipped,
  shippedOf,
  withShipped,
  writeDesiredState,
} from './desired-state.ts'
import { type Envelope, writeEnvelope } from './envelope.ts'
import { fullList } from './limits.ts'
import { writeStrictJson } from './strict-json.ts'

/** What shipping needs of a store. */
export type ShippingStore = Pick<Store, 'get' | 'put'>

/** A signed bundle on its way. */
export interface Shipment {
  readonly bundle: Pick<Bundle, 'agent' | 'project' | 'lineage' | 'generation'>
  readonly envelope: Envelope
  /** What does not travel within it. */
  readonly contents?: ReadonlyMap<string, Content>
}

// Each conflict means that another writer has got through, so this many others would have to be at it at once.
const mostAttempts = 100

/** The list of an agent as it is now. */
export async function readShipped(store: ShippingStore, agent: string): Promise<DesiredState> {
  return (await readList(store, agent, undefined)).list
}

/** The generation that the next bundle of a project gets: one more than the highest that is known. */
export function nextGeneration(list: DesiredState, project: string, known = 0): number {
  return Math.max(shippedOf(list, project)?.generation ?? 0, known) + 1
}

/**
 * Ships a bundle. Doing it again with the same one changes nothing.
 * @throws HarmonyError `refused` when somebody else has shipped this project meanwhile, and whatever the store throws.
 */
export async function ship(
  store: ShippingStore,
  { bundle, envelope, contents }: Shipment,
): Promise<{ readonly revision: number }> {
  const { agent, project, lineage, generation } = bundle
  for (const content of contents?.values() ?? []) await putContent(store, agent, content, content.open())
  const about = { project, lineage, generation }
  const inline: Shipped = { ...about, envelope }
  const bytes = writeEnvelope(envelope)
  const stored: ContentId = { sha256: hash('sha256', bytes, 'hex'), size: bytes.length }
  let atLeast: number | undefined
  for (let attempt = 1; ; attempt++) {
    const { list, revision } = await readList(store, agent, atLeast)
    const there = shippedOf(list, project)
    if (there && revision !== undefined && isEntryOf(there, inline, stored)) return { revision }
    let value = writeDesiredState(withShipped(list, inline))
    if (value.length > fullList) {
      await putContent(store, agent, stored, [bytes])
      value = writeDesiredState(withShipped(list, { ...about, stored }))
    }
    try {
      return { revision: (await store.put(desiredStateKey(agent), value, revision ?? 'absent')).revision }
    } catch (error) {
      // Written by somebody else, or perhaps by us: what is there now tells.
      if (!isHarmonyError(error) || (error.code !== 'store-conflict' && error.code !== 'store-uncertain'))
        throw error
      if (attempt >= mostAttempts) throw error
      const { actual } = error.data
      atLeast = typeof actual === 'number' && actual > 0 ? actual : undefined
    }
  }
}

async function readList(
  store: ShippingStore,
  agent: string,
  atLeast: number | undefined,
): Promise<{ readonly list: DesiredState; readonly revision: number | undefined }> {
  const entry = await store.get(desiredStateKey(agent), atLeast === undefined ? {} : { atLeast })
  if (!entry) return { list: nothingShipped, revision: undefined }
  const read = readDesiredState(entry.value)
  const why =
    'flaw' in read ? (read.flaw === 'garbled' ? read.detail : 'it is too large') : read.value.flaws[0]?.detail
  if ('flaw' in read || why !== undefined)
    // Writing it anew would take away what others have shipped.
    throw new HarmonyError('refused', `the list of the agent ${agent} cannot be read: ${why}`, {
      hint: 'find out who wrote it; delete the key to begin anew, and have every project shipped again',
      data: { key: desiredStateKey(agent) },
    })
  return { list: read.value, revision: entry.revision }
}

/** Whether an entry is what an earlier attempt of ours has written. */
function isEntryOf(there: Shipped, inline: Shipped, stored: ContentId): boolean {
  if ('stored' in there) return there.stored.sha256 === stored.sha256
  return writeStrictJson(there).equals(writeStrictJson(inline))
}

async function putContent(
  store: ShippingStore,
  agent: string,
  id: ContentId,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  if (await store.get(manifestKey(agent, id))) return
  const maker = new ManifestMaker()
  let index = 0
  for await (const chunk of splitContent(pieces)) {
    maker.add(chunk)
    const key = chunkKey(agent, id, index++)
    // Whoever was interrupted goes on where it was.
    const before = await store.get(key)
    if (!before || !chunk.equals(before.value)) await putSame(store, key, chunk)
  }
  const manifest = maker.finish()
  if (manifest.sha256 !== id.sha256)
    throw new HarmonyError('asset-unreadable', `content has changed while it was shipped`, {
      hint: 'ship again',
    })
  await putSame(store, manifestKey(agent, id), writeManifest(manifest))
}

/** Under a key that says what is in it, so it does not matter who has written it, or how often. */
async function putSame(store: ShippingStore, key: string, value: Uint8Array): Promise<void> {
  try {
    await store.put(key, value, 'any')
  } catch (error) {
    if (!isHarmonyError(error) || error.code !== 'store-uncertain') throw error
    await store.put(key, value, 'any')
  }
}
