/**
 * What every kind of unit has in common: its files, whether it is enabled, masked and running. The file of a unit and
 * its drop-ins are written and verified first, then the manager reads them, then the unit is started: each part looks at
 * what is there, so a pass that died anywhere is completed by the next one.
 */
import { type Difference, HarmonyError, type Json, missing, type Run } from '@harmony-iac/core'
import type { Entry, FileSystem, ServiceManager, UnitState } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { keepAside, putBack, removeIf } from './entries.ts'
import { once } from './once.ts'
import {
  cleanUpDropIns,
  dropFolder,
  dropInPaths,
  dropInsOf,
  holds,
  isMaskAt,
  ownsFiles,
  shown,
  unitPath,
  writeTexts,
} from './unit-files.ts'
import { hasSection } from './unit-text.ts'

/** What the kinds of unit want, in one form. */
export interface UnitWish {
  /** With its type. */
  readonly name: string
  /** Of its own file; absent: the one that is there. */
  readonly text: string | undefined
  /** The field of the spec that the text is from, for differences. */
  readonly field: string
  readonly dropIns: Readonly<Record<string, string>>
  readonly enabled: boolean | undefined
  readonly active: boolean | undefined
  readonly masked: boolean | undefined
  /** The field that has it restarted when its files have changed since it was started. */
  readonly restartOnChange: string | undefined
  readonly stableForMs: number | undefined
  readonly startTimeoutMs: number
}

/** What a unit is made on. */
export interface UnitHost {
  readonly files: FileSystem
  readonly services: ServiceManager
}

/** A unit as it was found. */
export interface UnitFound {
  readonly unit: UnitState
  /** What stands where its own file is to be; absent when no text is wanted. */
  readonly entry: Entry | undefined
  /** Drop-ins that are wanted or were ours, by name. */
  readonly dropIns: Readonly<Record<string, Entry>>
  /** One that runs to its end has done so with this spec. */
  readonly ran: boolean
}

/** Details of a unit as it is. */
export interface UnitStatus {
  /** `active`, `inactive`, `failed`, `activating`, … */
  readonly active: string
  /** More closely: `running`, `exited`, `waiting`, … */
  readonly sub: string
  readonly enabled: boolean
  /** When it became active, in milliseconds since 1970. */
  readonly since?: number | undefined
  /** How often it was restarted without being asked to. */
  readonly restarts: number
}

const memorySchema = once(() =>
  z.object({
    /** The file of the unit was written by us. */
    unit: z.boolean().optional(),
    /** Digest of the spec with which one that runs to its end was run. */
    ran: z.string().optional(),
    was: z.object({ enabled: z.boolean(), active: z.boolean(), masked: z.boolean() }).optional(),
  }),
)
type Memory = z.infer<ReturnType<typeof memorySchema>>
type Was = NonNullable<Memory['was']>

const keptSchema = once(() =>
  z.object({ was: memorySchema().shape.was.unwrap(), entries: z.array(z.json()) }),
)

function memoryOf(memory: Json | undefined): Memory {
  return memorySchema().safeParse(memory).data ?? {}
}

/** Looks at a unit. @throws HarmonyError `refused` when it can never be as wanted, with the words that say why. */
export async function observeUnit(
  wish: UnitWish,
  { files, services }: UnitHost,
  look: { readonly digest: string; readonly memory: Json | undefined; readonly signal: AbortSignal },
): Promise<UnitFound> {
  const { signal } = look
  const [unit, entry, dropIns] = await Promise.all([
    services.look(wish.name, {
      age: wish.stableForMs !== undefined,
      outdated: wish.restartOnChange !== undefined,
      signal,
    }),
    wish.text === undefined ? undefined : files.inspect(unitPath(wish.name), { content: true, signal }),
    dropInsOf(wish, files, signal),
  ])
  refuseHopeless(wish, unit)
  return { unit, entry, dropIns, ran: memoryOf(look.memory).ran === look.digest }
}

const isMasked = ({ load, file }: UnitState): boolean => load === 'masked' || file.startsWith('masked')
const isEnabled = ({ file }: UnitState): boolean => file === 'enabled'
/** Started at boot, or until the next one. */
const isEnabledAtAll = ({ file }: UnitState): boolean => file === 'enabled' || file === 'enabled-runtime'
const isRunning = ({ active }: UnitState): boolean => active === 'active' || active === 'reloading'

function refuseHopeless(wish: UnitWish, unit: UnitState): void {
  const { name } = wish
  const refuse = (message: string, hint: string) => {
    throw new HarmonyError('refused', `${name} ${message}`, { hint, data: { unit: name, load: unit.load } })
  }
  if (unit.load !== 'not-found' && unit.id !== name)
    refuse(`is an alias of ${unit.id}`, `name ${unit.id} instead`)
  const wanted = wish.active === true || wish.enabled === true
  if (!wanted || wish.text !== undefined) return
  if (isMasked(unit)) {
    if (wish.masked === undefined)
      refuse('is masked, so it can be neither started nor enabled', 'say masked: false, or see who masked it')
    return
  }
  if (unit.load === 'not-found')
    refuse(
      'does not exist',
      'declare the Package that brings it and come `after` it, or give its text as unit',
    )
  if (unit.load === 'bad-setting' || unit.load === 'error')
    refuse(`cannot be loaded: ${unit.loadError ?? unit.load}`, `correct ${unit.fragment ?? 'its file'}`)
  if (wish.enabled !== true) return
  const installs = Object.values(wish.dropIns).some((text) => hasSection(text, 'Install'))
  if (unit.file === 'static' && !installs)
    refuse(
      'cannot be enabled: it is static, for its file has no [Install] section',
      'leave out enabled: others start it; or give it an [Install] section with dropIns',
    )
  if (unit.file === 'indirect')
    refuse('cannot be enabled itself: its [Install] section only names others (Also)', 'enable those')
  if (unit.file.startsWith('generated') || unit.file.startsWith('transient'))
    refuse(
      `cannot be enabled: it is ${unit.file}, made by a program and not by a file`,
      'change what it is made from (an init script, /etc/fstab), or leave out enabled',
    )
}

/** What is not as wanted. */
export function compareUnit(wish: UnitWish, found: UnitFound): readonly Difference[] {
  const { unit, entry } = found
  const differences: Difference[] = []
  if (entry && wish.text !== undefined && !holds(entry, wish.text)) {
    // A package's own unit is put out of action by a file of ours: that is no creation but a take-over.
    if (entry.type === 'absent' && unit.fragment !== undefined && unit.fragment !== unitPath(wish.name))
      differences.push({ path: '', from: unit.fragment, to: 'unit' })
    else if (entry.type === 'absent') differences.push(missing('unit'))
    else if (entry.type !== 'file')
      differences.push({ path: '', from: entry.type, to: 'unit', replaces: true })
    differences.push({ path: wish.field, from: shown(entry), to: wish.text })
  }
  for (const [name, each] of Object.entries(found.dropIns)) {
    const wanted = wish.dropIns[name]
    if (wanted === undefined ? each.type === 'absent' : holds(each, wanted)) continue
    differences.push({ path: `dropIns.${name}`, from: shown(each), to: wanted ?? null })
  }
  if (differences.length === 0 && unit.needsReload && ownsFiles(wish))
    differences.push({
      path: wish.text === undefined ? 'dropIns' : wish.field,
      from: 'changed since the service manager has read it',
      to: 'read again',
    })
  if (wish.masked !== undefined && isMasked(unit) !== wish.masked)
    differences.push({ path: 'masked', from: !wish.masked, to: wish.masked })
  if (wish.enabled === true && !isEnabled(unit)) differences.push({ path: 'enabled', from: false, to: true })
  if (wish.enabled === false && isEnabledAtAll(unit))
    differences.push({ path: 'enabled', from: true, to: false })
  compareActive(wish, found, differences)
  return differences
}

function compareActive(wish: UnitWish, { unit, ran }: UnitFound, into: Difference[]): void {
  if (wish.active === false) {
    if (unit.active === 'deactivating')
      into.push({ path: 'active', from: true, to: false, settleMs: wish.startTimeoutMs })
    else if (unit.active !== 'inactive' && unit.active !== 'failed')
      into.push({ path: 'active', from: true, to: false })
    return
  }
  if (wish.active === true && !isRunning(unit) && !hasEnded(unit, ran)) {
    const difference: Difference = { path: 'active', from: false, to: true }
    // One that fails and is started again and again is starting for ever.
    const starting =
      unit.restartsSeen === 0 &&
      unit.sub !== 'auto-restart' &&
      (unit.active === 'activating' || unit.active === 'deactivating')
    into.push(starting ? { ...difference, settleMs: wish.startTimeoutMs } : difference)
    return
  }
  if (!isRunning(unit)) return
  if (wish.active === true && unit.restartsSeen > 0)
    into.push({ path: 'active', from: 'fails, and is restarted again and again', to: true })
  if (wish.restartOnChange !== undefined && unit.outdated)
    into.push({ path: wish.restartOnChange, from: 'started before its files were changed', to: 'restarted' })
  if (wish.active && wish.stableForMs !== undefined && (unit.activeMs ?? 0) < wish.stableForMs)
    into.push({
      path: 'stableForMs',
      from: null,
      to: wish.stableForMs,
      settleMs: wish.startTimeoutMs + wish.stableForMs,
    })
}

/** One that runs to its end has done what it is for. Which the manager forgets, once nobody refers to it any more. */
function hasEnded({ once, active, result, invocation }: UnitState, ran: boolean): boolean {
  return once && active === 'inactive' && result === 'success' && (invocation !== undefined || ran)
}

/** Brings a unit to its wanted state. */
export async function convergeUnit(wish: UnitWish, on: UnitHost, run: Run<UnitFound>): Promise<void> {
  const { services } = on
  const { name } = wish
  const { unit } = run.state
  const memory = memoryOf(run.memory)
  const remembered =
    wish.text !== undefined || memory.unit ? { unit: true } : { was: memory.was ?? wasOf(unit) }
  run.remember({ ...remembered, ...(memory.ran !== undefined && { ran: memory.ran }) })

  const written = await writeTexts(wish, on, run)
  let reads = written || (unit.needsReload && ownsFiles(wish))
  if (wish.masked === false && isMasked(unit)) {
    await services.unmask(name)
    reads = true
  }
  if (wish.enabled === true && !isEnabled(unit)) {
    await services.enable(name)
    reads = true
  } else if (wish.enabled === false && isEnabledAtAll(unit)) {
    await services.disable(name)
    reads = true
  }
  if (wish.masked === true && !isMasked(unit)) {
    await services.mask(name)
    reads = true
  }
  if (reads) await services.reloadManager()

  if (wish.active === false) {
    if (unit.active !== 'inactive' && unit.active !== 'failed') await services.stop(name, run)
    return
  }
  const stale = wish.restartOnChange !== undefined && isRunning(unit) && (written || unit.outdated === true)
  if (stale) {
    run.progress(`restarting ${name}: its files have changed`)
    await services.restart(name, run)
  } else if (wish.active === true && (unit.restartsSeen > 0 || !isRunning(unit))) {
    // With other files it is another one, and a new start is not counted against it.
    if (unit.active === 'failed' || unit.sub === 'auto-restart') await services.resetFailed(name)
    run.progress(`starting ${name}`)
    if (unit.sub === 'auto-restart' || unit.restartsSeen > 0) await services.restart(name, run)
    else await services.start(name, run)
    run.remember({ ...remembered, ran: run.digest })
  }
}

function wasOf(unit: UnitState): Was {
  return {
    enabled: isEnabled(unit),
    active: isRunning(unit) || unit.active === 'activating',
    masked: isMasked(unit),
  }
}

/** Keeps what was there before the first change. */
export async function keepUnit(wish: UnitWish, { files }: UnitHost, { unit }: UnitFound): Promise<Json> {
  const entries = wish.text === undefined ? [] : [await keepAside(files, unitPath(wish.name))]
  return { was: wasOf(unit), entries }
}

/** Takes a unit away, or puts it back as it was. */
export async function removeUnit(
  wish: UnitWish,
  { previous, memory }: { readonly previous: Json | undefined; readonly memory: Json | undefined },
  { files, services }: UnitHost,
  run: Pick<Run<unknown>, 'signal' | 'note'>,
): Promise<void> {
  const { name } = wish
  const kept = previous === undefined ? undefined : keptSchema().safeParse(previous)
  if (kept?.error)
    throw new HarmonyError('ledger-corrupt', 'the ledger does not say what was there before', {
      hint: 'restore it by hand, and remove the Score with retain: true',
      cause: kept.error,
    })
  const remembered = memoryOf(memory)
  let unit = await services.look(name, { signal: run.signal })
  // Of a unit that was found as wanted nothing was changed: what is known of it is what it is.
  const owned = wish.text !== undefined || remembered.unit === true
  const none = { enabled: false, active: false, masked: false }
  const was = kept?.data.was ?? (owned ? none : (remembered.was ?? wasOf(unit)))

  if (!was.active && unit.active !== 'inactive' && unit.active !== 'failed')
    await services.stop(name, { signal: run.signal, patienceMs: wish.startTimeoutMs })
  let changed = unit.needsReload
  if (!was.masked && isMasked(unit)) {
    await services.unmask(name)
    await services.reloadManager()
    // A mask hides whether it is enabled.
    unit = await services.look(name, { signal: run.signal })
  }
  if (!was.enabled && isEnabledAtAll(unit)) {
    await services.disable(name)
    changed = true
  }
  for (const entry of kept?.data.entries ?? []) {
    await putBack(files, entry as Json, undefined)
    changed = true
  }
  if (owned && (kept?.data.entries.length ?? 0) === 0 && !isMaskAt(await files.inspect(unitPath(name)))) {
    const outcome = await removeIf(files, unitPath(name), ['file'], undefined)
    if (outcome !== 'gone') run.note(`left ${unitPath(name)} in place: it is not a file any more`)
    changed = true
  }
  for (const path of await dropInPaths(files, name)) {
    await removeIf(files, path, ['file', 'symlink'], undefined)
    changed = true
  }
  await dropFolder(files, name)
  if (was.enabled && !isEnabled(unit)) {
    await services.enable(name)
    changed = true
  }
  if (was.masked && !isMasked(unit)) {
    await services.mask(name)
    changed = true
  }
  if (changed) await services.reloadManager()
  const now = await services.look(name, { signal: run.signal })
  if (was.active && !isRunning(now) && now.active !== 'activating')
    await services.start(name, { signal: run.signal })
  else if (!was.active && now.active === 'failed') await services.resetFailed(name)
}

/** After a kill: the spec may be another one than that of the pass that died, so what is there is looked at. */
export async function recoverUnit(
  { name }: Pick<UnitWish, 'name'>,
  { files, services }: UnitHost,
): Promise<void> {
  await services.cleanUp(name)
  await files.cleanUp(unitPath(name))
  await cleanUpDropIns(files, name)
  await dropFolder(files, name)
  // Where files of ours are left, it is a difference that was shown; where the last one is gone, nothing shows it.
  if ((await dropInPaths(files, name)).length > 0 || (await files.inspect(unitPath(name))).type !== 'absent')
    return
  if ((await services.look(name)).needsReload) await services.reloadManager()
}

/** Why it does not get to its wanted state: what the manager knows, and what the unit itself has said. */
export async function explainUnit(
  { name, active }: UnitWish,
  { services }: UnitHost,
  { unit }: UnitFound,
): Promise<readonly string[]> {
  const lines: string[] = []
  if (unit.load !== 'loaded')
    lines.push(`${name} is ${unit.load}${unit.loadError ? `: ${unit.loadError}` : ''}`)
  if (active !== true) return lines
  const ended =
    unit.exitStatus === undefined || unit.exitStatus === 0 ? '' : `, exit status ${unit.exitStatus}`
  const result = unit.result === 'success' ? '' : `, ${unit.result}${ended}`
  lines.push(`${name} is ${unit.active} (${unit.sub}${result})`)
  if (unit.unmet) lines.push('one of its conditions does not hold, so it was not started')
  if (unit.restarts > 0) lines.push(`it was restarted ${unit.restarts} times`)
  return [...lines, ...(await services.journal(name, 10))]
}

/** Has a running unit start anew, or read its configuration again. One that is stopped meets it when it is started. */
export async function reactUnit(
  wish: UnitWish,
  { services }: UnitHost,
  run: Run<UnitFound>,
  how: 'restart' | 'reload',
): Promise<void> {
  const { unit } = run.state
  const again = unit.once && wish.active === true
  if (!again && !isRunning(unit) && unit.active !== 'activating') return
  run.progress(`${how}ing ${wish.name}`)
  if (how === 'reload' && !again) await services.reloadOrRestart(wish.name, run)
  else await services.restart(wish.name, run)
}

/** The details of a unit. */
export function statusOf({ unit }: UnitFound): UnitStatus {
  const { active, sub, since, restarts } = unit
  return { active, sub, enabled: isEnabled(unit), since, restarts }
}
