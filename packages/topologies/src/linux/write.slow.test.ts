import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isHarmonyError } from '@harmony-iac/core'
import { hostFaults } from '@harmony-iac/core/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folders, scratch } from '../../test/scratch.ts'
import { pass } from '../../test/victim.ts'
import { localHost } from '../hosts/local.ts'
import { linuxFiles } from './files.ts'
import { isTemporaryName } from './names.ts'

const victim = fileURLToPath(new URL('../../test/victim.ts', import.meta.url))
const run = promisify(execFile)
const read = (path: string) => readFileSync(path, 'utf8')

describe('a pass that is killed at any system call that changes something', () => {
  const old = 'old'.repeat(50_000)
  const made = 'new'.repeat(100_000)

  function prepare(base: string, name: string): string {
    const dir = `${base}/${name}`
    mkdirSync(`${dir}/srv`, { recursive: true })
    writeFileSync(`${dir}/srv/adopted`, 'before', { mode: 0o644 })
    writeFileSync(`${dir}/srv/file`, old)
    writeFileSync(`${dir}/srv/surplus`, '')
    symlinkSync('old', `${dir}/srv/link`)
    return dir
  }

  /** After a kill: everything is complete, old or new; what is unfinished has a temporary name. */
  function expectWhole(dir: string, label: string): void {
    const names = readdirSync(`${dir}/srv`).filter((name) => !isTemporaryName(name))
    expect(['adopted', 'directory', 'file', 'link', 'surplus'], label).toEqual(expect.arrayContaining(names))
    expect(names, label).toEqual(expect.arrayContaining(['adopted', 'file', 'link']))
    expect([old, made], label).toContain(read(`${dir}/srv/file`))
    expect(['before', 'ours'], label).toContain(read(`${dir}/srv/adopted`))
    expect(['old', 'new'], label).toContain(readlinkSync(`${dir}/srv/link`))
  }

  function expectDone(dir: string, label: string): void {
    expect(readdirSync(dir), label).toEqual(['srv'])
    expect(readdirSync(`${dir}/srv`), label).toEqual(['adopted', 'directory', 'file', 'link'])
    expect([read(`${dir}/srv/adopted`), read(`${dir}/srv/file`)], label).toEqual(['before', made])
    const mode = (name: string) => (lstatSync(`${dir}/srv/${name}`).mode & 0o7777).toString(8)
    expect([mode('adopted'), mode('file'), mode('directory')], label).toEqual(['644', '640', '711'])
    expect(readlinkSync(`${dir}/srv/link`), label).toBe('new')
  }

  test('leaves nothing half-done, and the next one completes it and leaves no trace of the first', async () => {
    const base = scratch()
    const calm = prepare(base, 'calm')
    const { calls, hit } = hostFaults()
    await pass(calm, hit)
    expectDone(calm, 'undisturbed')
    expect(calls.length).toBeGreaterThan(50)
    const kills = calls.flatMap((_, i) => [`${i + 1} before`, `${i + 1} after`]).values()
    // A hundred processes start; they need not compile the same modules each. Only one that lives writes the cache.
    const env = { ...process.env, NODE_COMPILE_CACHE: `${base}/compiled` }
    await run(process.execPath, [victim, prepare(base, 'first'), '0', 'before'], { env })
    const worker = async () => {
      for (const label of kills) {
        const dir = prepare(base, label)
        const killed = run(process.execPath, [victim, dir, ...label.split(' ')], { env })
        await expect(killed, label).rejects.toMatchObject({ signal: 'SIGKILL' })
        expectWhole(dir, label)
        await pass(dir)
        expectDone(dir, label)
      }
    }
    // All have to be over before their folder is removed, also when one has failed.
    const workers = await Promise.allSettled([worker(), worker(), worker()])
    expect(workers.filter(({ status }) => status === 'rejected')).toEqual([])
  }, 300_000)
})

describe('a folder that somebody keeps swapping for a link', () => {
  /** Exchanges `site` and a link to the victim's folder, as fast as it can. */
  function swapper(dir: string): ChildProcess {
    const program = `
      import { renameSync, symlinkSync, unlinkSync } from 'node:fs'
      process.chdir(${JSON.stringify(dir)})
      console.log('ready')
      for (;;) {
        renameSync('site', 'away'); symlinkSync('victim', 'site')
        unlinkSync('site'); renameSync('away', 'site')
      }
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    return child
  }

  test('redirects no write and no removal in two seconds of trying', async () => {
    const dir = scratch()
    folders(dir, 'site', 'victim')
    writeFileSync(`${dir}/victim/f`, 'untouched')
    const files = linuxFiles(localHost(), { keepFolder: async () => `${dir}/kept` })
    const child = swapper(dir)
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    const outcomes: Record<string, number> = {}
    const attempt = async (work: () => Promise<unknown>) => {
      const outcome = await work().then(
        () => 'done',
        (error: unknown) => (isHarmonyError(error) ? error.code : 'other'),
      )
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
    const until = performance.now() + 2000
    for (let i = 0; performance.now() < until; i++) {
      const folder = `${dir}/site`
      await attempt(() => files.writeFile(`${folder}/f`, Buffer.from('ours'), { folder }))
      await attempt(() => files.makeSymlink(`${folder}/l`, 'ours', { folder }))
      await attempt(() => files.setAttributes(`${folder}/f`, { mode: '0777', folder }))
      await attempt(() => files.makeDirectory(`${folder}/d${i}`, { folder }))
      await attempt(async () => {
        const entry = await files.inspect(`${folder}/l`)
        if (entry.type === 'symlink') await files.remove(`${folder}/l`, { fingerprint: entry.fingerprint })
      })
    }
    child.kill('SIGKILL')
    await once(child, 'exit')
    // Both happened, or the test has shown nothing.
    expect(outcomes.done).toBeGreaterThan(10)
    expect(outcomes['plan-stale']).toBeGreaterThan(10)
    expect([readdirSync(`${dir}/victim`), read(`${dir}/victim/f`)]).toEqual([['f'], 'untouched'])
    expect(lstatSync(`${dir}/victim/f`).mode & 0o777).toBe(0o644)
  })
})
