/** This machine as a stage of the conformance kit: real files in a temporary folder, a process that dies on demand. */
import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { StateHome, Topology } from '@harmony-iac/core'
import type { FileSystem } from '@harmony-iac/core/capabilities'
import type { Host, HostFacts } from '@harmony-iac/core/host'
import { Faults, mortalHost, type Snapshot, type Stage } from '@harmony-iac/core/testing'
import { localFacts, localHost } from '../src/hosts/local.ts'
import { hostHome } from '../src/linux/home.ts'
import { LocalTopology } from '../src/local.ts'
import { PiTopology } from '../src/pi.ts'

/** A {@link LocalTopology} on a folder of its own, with a ledger of its own. */
export interface LocalStage extends Stage {
  readonly files: FileSystem
  /** An absolute path in the folder. */
  at(path: string): string
}

/** Makes a stage on this machine, worked on directly. */
export function localStage(): LocalStage {
  return stageOn((state, faults) =>
    withStateIn(state, () => new LocalTopology({ host: mortalHost(localHost(), faults) })),
  )
}

/** Makes a stage on this machine, worked on over a connection that other stages use too. */
export function remoteStage(host: Host): LocalStage {
  return stageOn((state, faults) => {
    const facts: HostFacts = { ...localFacts(), env: { HARMONY_STATE_DIR: state } }
    const there = { ...mortalHost(host, faults), facts: async () => facts, close: async () => {} }
    const topology = new PiTopology({ host: there })
    // The kit looks at the ledger also while the topology is not open.
    Object.defineProperty(topology, 'home', { value: hostHome(there, facts) })
    return topology as PiTopology & { readonly home: StateHome }
  })
}

function stageOn(
  make: (state: string, faults: Faults) => Topology & Pick<LocalStage, 'files' | 'home'>,
): LocalStage {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'harmony-stage-')))
  const disk = join(root, 'disk')
  const state = join(root, 'state')
  mkdirSync(disk)
  const faults = new Faults()
  const topology = make(state, faults)
  return Object.assign(topology, {
    faults,
    at: (path: string) => join(disk, path),
    snapshot: () => snapshotOf(disk),
    residue: () => (exists(state) ? ['the folder of the ledger', ...pathsIn(state)] : []),
    dispose: () => rmSync(root, { recursive: true, force: true }),
  })
}

function withStateIn<T>(folder: string, work: () => T): T {
  const before = process.env.HARMONY_STATE_DIR
  process.env.HARMONY_STATE_DIR = folder
  try {
    return work()
  } finally {
    if (before === undefined) delete process.env.HARMONY_STATE_DIR
    else process.env.HARMONY_STATE_DIR = before
  }
}

function snapshotOf(folder: string): Snapshot {
  return Object.fromEntries(pathsIn(folder).map((path) => [relative(folder, path), describe(path)]))
}

function pathsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .sort()
}

function describe(path: string): string {
  const stat = lstatSync(path)
  const facts = `${(stat.mode & 0o7777).toString(8).padStart(4, '0')} ${stat.uid}:${stat.gid}`
  if (stat.isSymbolicLink()) return `symlink ${stat.uid}:${stat.gid} → ${readlinkSync(path)}`
  if (stat.isDirectory()) return `directory ${facts}`
  if (!stat.isFile()) return `other ${facts}`
  return `file ${facts} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
