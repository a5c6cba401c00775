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
import { Faults, mortalHost, type Snapshot, type Stage } from '@harmony-iac/core/testing'
import { localHost } from '../src/hosts/local.ts'
import { LocalTopology } from '../src/local.ts'

/** A {@link LocalTopology} on a folder of its own, with a ledger of its own. */
export interface LocalStage extends LocalTopology, Stage {
  /** An absolute path in the folder. */
  at(path: string): string
}

/** Makes a stage. */
export function localStage(): LocalStage {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'harmony-stage-')))
  const disk = join(root, 'disk')
  const state = join(root, 'state')
  mkdirSync(disk)
  const faults = new Faults()
  const topology = withStateIn(state, () => new LocalTopology({ host: mortalHost(localHost(), faults) }))
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
