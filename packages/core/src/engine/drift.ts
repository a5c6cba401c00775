/**
 * Compares what was last applied with reality. The ledger's specs are the yardstick, not the project: edits of the
 * project that were not applied yet are no drift.
 */
import { HarmonyError, toHarmonyError } from '../errors.ts'
import { isCreation } from '../interpret.ts'
import { type LedgerRecord, reliableMemory } from '../ledger/record.ts'
import type { ShownDifference } from '../plan/plan.ts'
import { decodeScore, type SerializedScore } from '../wire.ts'
import { readOutput } from './classify.ts'
import { type Context, ownRecords } from './context.ts'
import type { DriftEntry, DriftReport, Sources } from './contract.ts'
import { type Observation, observe, show } from './observe.ts'
import { resolveSpec } from './resolve.ts'
import { Belongings } from './surplus.ts'
import { inWaves } from './waves.ts'

/** A record in the form in which Scores travel. */
function serialized(record: LedgerRecord): SerializedScore {
  return {
    id: record.address,
    kind: record.kind,
    version: record.version,
    spec: record.spec,
    needs: [],
    ...record.options,
  }
}

/** Looks at everything that the ledger holds for the owner, or for all owners. Writes nothing. */
export async function findDrift(
  context: Context,
  owners: 'all' | 'own',
  signal: AbortSignal,
): Promise<DriftReport> {
  const records = owners === 'own' ? [...ownRecords(context).values()] : [...context.ledger.records.values()]
  const belongings = new Belongings(context.ledger.records.values())
  const entries: (DriftEntry | undefined)[] = new Array(records.length)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < records.length) {
      signal.throwIfAborted()
      const i = next++
      entries[i] = await driftOf(context, records[i] as LedgerRecord, belongings, signal)
    }
  }
  await inWaves(worker, () => next < records.length)
  const found = entries.filter((entry) => entry !== undefined)
  return { entries: found, unchanged: records.length - found.length }
}

async function driftOf(
  context: Context,
  record: LedgerRecord,
  belongings: Belongings,
  signal: AbortSignal,
): Promise<DriftEntry | undefined> {
  const { address, project, lineage, topology } = record
  const entry = { address, owner: { project, lineage }, topology, differences: [], error: undefined }
  try {
    const score = decodeScore(serialized(record))
    const { definition } = score['~score']
    const resolved = await resolveSpec(score, asApplied(record, context.sources), (from, output) =>
      outputOf(context, record, from, output, signal),
    )
    const look = { address, digest: record.digest, memory: reliableMemory(record), signal }
    const seen = await observe(definition, resolved, context.topology, look)
    const differences: ShownDifference[] = [...show(seen.differences, resolved)]
    if (definition.interpret?.surplus && !isCreation(seen.differences))
      for (const { claim } of belongings.unwanted(
        await definition.interpret.surplus(resolved.spec, context.topology, look),
        record,
      ))
        if (claim.type !== 'name')
          differences.push({
            path: claim.path,
            from: 'not wanted',
            to: null,
            settling: false,
            replaces: false,
            masked: false,
          })
    if (record.unfinished) return { ...entry, status: 'unfinished', differences }
    if (differences.length === 0) return undefined
    return { ...entry, status: isCreation(seen.differences) ? 'missing' : 'changed', differences }
  } catch (thrown) {
    const { code, message, hint } = toHarmonyError(thrown, { address })
    return {
      ...entry,
      status: record.unfinished ? 'unfinished' : 'unknown',
      error: { code, message, hint, address },
    }
  }
}

async function outputOf(
  context: Context,
  record: LedgerRecord,
  from: string,
  output: string,
  signal: AbortSignal,
): Promise<unknown> {
  const source = context.ledger.records.get({ ...record, address: from })
  if (!source)
    throw new HarmonyError(
      'unresolved-reference',
      `${from}, whose output ${output} it takes, is not in the ledger`,
    )
  const score = decodeScore(serialized(source))
  const { definition } = score['~score']
  const resolved = await resolveSpec(score, asApplied(source, context.sources), (next, name) =>
    outputOf(context, source, next, name, signal),
  )
  const look = { address: from, digest: source.digest, memory: reliableMemory(source), signal }
  const { state }: Observation = await observe(definition, resolved, context.topology, look)
  return readOutput(definition, state, from, output)
}

/** Assets as they were when they were applied: later edits of the files beside the project are no drift. */
function asApplied({ assets }: LedgerRecord, sources: Sources): Sources {
  if (!assets) return sources
  return {
    ...sources,
    asset: async (path) => {
      const facts = assets[path]
      if (!facts) return await sources.asset(path)
      return { ...facts, open: () => readIfUnchanged(path, facts.sha256, sources) }
    },
  }
}

/** For showing what differs: the content itself, if the file beside the project still is what was applied. */
async function* readIfUnchanged(path: string, sha256: string, sources: Sources): AsyncGenerator<Uint8Array> {
  const now = await sources.asset(path)
  if (now.sha256 !== sha256)
    throw new HarmonyError('asset-unreadable', `${path} is no longer what was applied`)
  yield* now.open()
}
