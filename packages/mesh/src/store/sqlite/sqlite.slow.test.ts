/** What only several processes can show: contention, kills, watching each other, being somebody else. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { openSqliteStore } from './sqlite.ts'

const program = join(import.meta.dirname, '../../../test/store-client.ts')

type Client = ChildProcessByStdio<null, Readable, Readable>

let folder = ''
let path = ''
let clients: Client[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harmony-store-'))
  path = join(folder, 'store.db')
})
afterEach(() => {
  for (const client of clients) client.kill('SIGKILL')
  clients = []
  rmSync(folder, { recursive: true, force: true })
})

/** Starts a client: `store-client.ts VERB PATH …`. */
function start(verb: string, ...rest: readonly string[]): Client {
  const client = spawn(process.execPath, [program, verb, path, ...rest], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  clients.push(client)
  return client
}

/** The lines of a client up to that one; it is killed then. Fewer when it ended before. */
async function linesOf(client: Client, count = Number.POSITIVE_INFINITY): Promise<readonly string[]> {
  const lines: string[] = []
  let failure = ''
  client.stderr.on('data', (data) => {
    failure += data
  })
  for await (const line of createInterface({ input: client.stdout })) {
    lines.push(line)
    if (lines.length === count) client.kill('SIGKILL')
  }
  if (lines.length === 0) throw new Error(`a client ended without a word: ${failure}`)
  return lines
}

const decode = (value: Uint8Array | undefined) => Buffer.from(value ?? []).toString()

test('of several processes that contend every one gets through, and no write is lost', async () => {
  const counts = await Promise.all(Array.from({ length: 4 }, () => linesOf(start('count', 'a.count', '50'))))
  await using store = await openSqliteStore(path)
  expect(decode((await store.get('a.count'))?.value)).toBe('200')
  // Without a conflict they would have run one after the other, and shown nothing.
  expect(counts.flat().reduce((sum, conflicts) => sum + Number(conflicts), 0)).toBeGreaterThan(0)
})

test('whatever was acknowledged to a process that is killed is there', async () => {
  for (let round = 0; round < 6; round++) {
    const acknowledged = await linesOf(start('write', `a.r${round}`), 3 + 7 * round)
    await using store = await openSqliteStore(path)
    for (const line of acknowledged) {
      const [i, revision] = line.split(' ').map(Number)
      const entry = await store.get(`a.r${round}.${i}`)
      expect(entry).toMatchObject({ revision, value: new Uint8Array(2000).fill(i ?? 0) })
    }
  }
})

test('a watcher that is killed again and again is told everything, in order, and nothing twice', async () => {
  await using store = await openSqliteStore(path, { create: true })
  const told: string[] = []
  let cursor = ''
  const write = async (from: number, to: number) => {
    for (let i = from; i < to; i++) await store.put(`a.${i}`, new TextEncoder().encode(`${i}`), 'absent')
  }
  await write(0, 4)
  for (let round = 1; told.length < 24; round++) {
    const watcher = start('watch', 'a', ...(cursor ? [cursor] : []))
    const lines = linesOf(watcher, 5)
    // Some before it runs, some while it does.
    await write(4 * round, 4 * round + 4)
    for (const line of await lines) {
      const [key = '', , after = ''] = line.split(' ')
      expect(['reset', 'interrupted']).not.toContain(key)
      cursor = after
      if (key !== 'current') told.push(key)
    }
  }
  expect(told).toEqual(told.map((_, i) => `a.${i}`))
})

test('a process whose store is closed ends, whatever watches it has forgotten', async () => {
  expect(await linesOf(start('forget', 'a'))).toEqual(['current'])
})

test('a process that watches and has nothing to do writes nothing', async () => {
  const [line = ''] = await linesOf(start('idle', 'a'))
  const { before, after, told } = JSON.parse(line)
  expect({ after, told }).toEqual({ after: before, told: 0 })
})

const small = join(tmpdir(), `harmony-small-${process.pid}`)
/** Whether a file system of our own can be mounted here. */
function canMount(): boolean {
  mkdirSync(small, { recursive: true })
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'harmony', small]).status === 0
  if (isMounted) spawnSync('umount', [small])
  rmSync(small, { recursive: true, force: true })
  return isMounted
}

describeWith(
  { name: 'mount(8) as root', get: 'run the tests as root, outside a container', present: canMount() },
  'a full disk',
  () => {
    beforeEach(() => {
      mkdirSync(small)
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'harmony', small])
    })
    afterEach(() => {
      spawnSync('umount', [small])
      rmSync(small, { recursive: true, force: true })
    })

    test('refuses writes, keeps what was acknowledged, and takes writes again when there is room', async () => {
      await using store = await openSqliteStore(join(small, 'store.db'), { create: true })
      const filler = join(small, 'filler')
      writeFileSync(filler, new Uint8Array(600_000))
      const value = new Uint8Array(50_000).fill(7)
      let stored = 0
      const fill = async () => {
        for (; ; stored++) await store.put(`a.${stored}`, value, 'absent')
      }
      await expect(fill()).rejects.toMatchObject({ code: 'store-unreachable', data: { reason: 'full' } })
      expect(stored).toBeGreaterThan(0)
      for (let i = 0; i < stored; i++) expect((await store.get(`a.${i}`))?.value).toEqual(value)
      expect(await store.get(`a.${stored}`)).toBeUndefined()
      rmSync(filler)
      await store.put(`a.${stored}`, value, 'absent')
    })
  },
)

describeWith(
  { name: 'root', get: 'run the tests as root', present: process.getuid?.() === 0 },
  'somebody else',
  () => {
    /** What a process of `nobody` says that opens the store. */
    async function asNobody(): Promise<string> {
      const open = `const { openSqliteStore } = await import(process.argv[1])
        const said = await openSqliteStore(process.argv[2], { create: true, waitMs: 100 }).then(() => 'opened', (e) => e)
        console.log(JSON.stringify([said.code, said.data?.reason]))`
      const index = join(import.meta.dirname, '../../index.ts')
      const argv = ['--input-type=module', '-e', open, index, path]
      const client = spawn(process.execPath, argv, {
        stdio: ['ignore', 'pipe', 'pipe'],
        uid: 65534,
        gid: 65534,
      })
      clients.push(client)
      return (await linesOf(client)).join()
    }

    test('may not open a store, nor make one where it may not write', async () => {
      chmodSync(folder, 0o755)
      expect(await asNobody()).toBe('["store-unreachable","denied"]')
      await (await openSqliteStore(path, { create: true })).close()
      expect(await asNobody()).toBe('["store-unreachable","denied"]')
      expect(existsSync(`${path}-wal`)).toBe(false)
    })
  },
)
