/** Places to work in that are gone when a test is over, however it ends. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { onTestFinished } from 'vitest'
import type { Part } from '../../../scripts/testing/require-part.ts'

/** An empty folder, canonical. */
export function scratch(): string {
  const path = mkdtempSync(`${realpathSync(tmpdir())}/harmony-test-`)
  onTestFinished(() => {
    try {
      rmSync(path, { recursive: true, force: true })
    } catch {
      // Its owner may not look into a folder that a test has closed.
      execFileSync('chmod', ['-R', 'u+rwX', path])
      rmSync(path, { recursive: true })
    }
  })
  // Another user must be able to reach what a test gives them.
  chmodSync(path, 0o755)
  return path
}

const uid = process.geteuid?.()

/** Root, for what only root may do. */
export const root: Part = { name: 'root', get: 'run the tests as root (sudo)', present: uid === 0 }

/** A user who is not root, for what root is never refused. */
export const unprivileged: Part = {
  name: 'a way to be an ordinary user',
  get: 'run the tests as root or as an ordinary user, on Linux',
  present: process.platform === 'linux',
}

/** Mounting, which needs root and the capability to. */
export const mounting: Part = {
  name: 'mount(8) of a tmpfs',
  get: 'run the tests as root with CAP_SYS_ADMIN',
  present: uid === 0 && canMount(),
}

const nobody = 65534

/** Does something as a user without rights: as whom the test runs, or as nobody when that is root. */
export async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (uid !== 0) return work()
  const groups = process.getgroups?.() ?? []
  // All threads change, the pool's too.
  process.setgroups?.([])
  process.setegid?.(nobody)
  process.seteuid?.(nobody)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
    process.setgroups?.(groups)
  }
}

/** A file system of its own with so many KiB, mounted at a new folder. */
export function tinyDisk(kib: number): string {
  const path = mkdtempSync(`${realpathSync(tmpdir())}/harmony-disk-`)
  onTestFinished(() => rmSync(path, { recursive: true }))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k,mode=0755`, 'harmony-test', path])
  // Lazily: a test that failed may still hold a file open, and must not leave the mount behind.
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', path])
  })
  return path
}

/** Makes the file system of {@link tinyDisk} read-only. */
export function makeReadOnly(disk: string): void {
  execFileSync('mount', ['-o', 'remount,ro', disk])
}

/** How many descriptors this process has open. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}

function canMount(): boolean {
  const path = mkdtempSync(`${tmpdir()}/harmony-mount-`)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'harmony-test', path], { stdio: 'ignore' })
    execFileSync('umount', [path])
    return true
  } catch {
    return false
  } finally {
    rmSync(path, { recursive: true })
  }
}

/** Makes folders below a path. */
export function folders(base: string, ...names: readonly string[]): void {
  for (const name of names) mkdirSync(`${base}/${name}`, { recursive: true })
}
