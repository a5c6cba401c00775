import { chmodSync, copyFileSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { storeConformance } from '../../testing/store-conformance.ts'
import { Watcher } from '../../testing/store-watcher.ts'
import { faultyStore, StoreFaults } from '../faulty.ts'
import type { Store } from '../store.ts'
import { openSqliteStore } from './sqlite.ts'

const text = (value: string) => new TextEncoder().encode(value)

/** A folder for one test. */
function scratch() {
  const folder = mkdtempSync(join(tmpdir(), 'harmony-store-'))
  return {
    path: join(folder, 'store.db'),
    folder,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

describe('a store in a file', () => {
  const checks = storeConformance({
    name: 'SQLite',
    has: { trouble: true, restart: true },
    open: async () => {
      const { path, [Symbol.dispose]: remove } = scratch()
      const faults = new StoreFaults()
      const opened: Store[] = []
      const another = async () => {
        const store = await openSqliteStore(path, { create: true })
        opened.push(store)
        return store
      }
      const closeAll = async () => {
        for (const store of opened.splice(0)) await store.close()
      }
      return {
        store: faultyStore(await another(), faults),
        another,
        restart: async () => {
          await closeAll()
          return another()
        },
        trouble: {
          loseAnswer: (lost) => faults.loseAnswers(lost),
          cut: () => faults.cut(),
          restore: () => faults.restore(),
        },
        [Symbol.asyncDispose]: async () => {
          await closeAll()
          remove()
        },
      }
    },
  })
  for (const { name, run } of checks) test(name, run)
})

describe('the file of a store', () => {
  test('is made for its user only, and so are the files beside it', async () => {
    using place = scratch()
    await using store = await openSqliteStore(place.path, { create: true })
    await store.put('a.b', text('1'), 'any')
    for (const file of ['', '-wal', '-shm'])
      expect((statSync(place.path + file).mode & 0o777).toString(8), file).toBe('600')
  })

  test('is closed to others when it was open to them', async () => {
    using place = scratch()
    await (await openSqliteStore(place.path, { create: true })).close()
    chmodSync(place.path, 0o644)
    await using store = await openSqliteStore(place.path)
    expect(statSync(place.path).mode & 0o777).toBe(0o600)
    expect(await store.list('a')).toEqual([])
  })

  test('is made only when it is to be made', async () => {
    using place = scratch()
    await expect(openSqliteStore(place.path)).rejects.toMatchObject({
      code: 'store-unreachable',
      data: { reason: 'missing' },
    })
    await expect(
      openSqliteStore(join(place.folder, 'none/store.db'), { create: true }),
    ).rejects.toMatchObject({
      data: { reason: 'missing' },
    })
  })

  test.each([
    [
      'text',
      (path: string) => writeFileSync(path, 'no database, but rather a long text. '.repeat(99)),
      'foreign',
    ],
    [
      'the database of something else',
      (path: string) => new DatabaseSync(path).exec('CREATE TABLE t (c)'),
      'foreign',
    ],
    [
      'of a newer version',
      (path: string) =>
        new DatabaseSync(path).exec(`PRAGMA application_id = ${0x486d6e79}; PRAGMA user_version = 2`),
      'newer',
    ],
  ])('that is %s is refused', async (_, write, reason) => {
    using place = scratch()
    write(place.path)
    await expect(openSqliteStore(place.path, { create: true })).rejects.toMatchObject({
      code: 'store-damaged',
      data: { reason },
    })
  })

  test('that is damaged is refused, and not repaired by forgetting', async () => {
    using place = scratch()
    const store = await openSqliteStore(place.path, { create: true })
    for (let i = 0; i < 50; i++) await store.put(`a.${i}`, new Uint8Array(5000).fill(i), 'any')
    await store.close()
    const copy = join(place.folder, 'copy.db')
    copyFileSync(place.path, copy)
    const { size } = statSync(copy)
    const { openSync, writeSync, closeSync } = await import('node:fs')
    const fd = openSync(copy, 'r+')
    for (let at = 4096; at < size; at += 8192) writeSync(fd, new Uint8Array(4096).fill(0xa5), 0, 4096, at)
    closeSync(fd)
    await expect(openSqliteStore(copy)).rejects.toMatchObject({
      code: 'store-damaged',
      data: { reason: 'corrupt' },
    })
  })

  test('that another process holds is waited for, but not for ever', async () => {
    using place = scratch()
    await using store = await openSqliteStore(place.path, { create: true, waitMs: 50 })
    using holder = new DatabaseSync(place.path)
    holder.exec('BEGIN IMMEDIATE')
    await expect(store.put('a.b', text('1'), 'any')).rejects.toMatchObject({
      code: 'store-unreachable',
      data: { reason: 'locked' },
    })
    expect(await store.get('a.b')).toBeUndefined()
    const waiting = store.put('a.b', text('2'), 'absent')
    holder.exec('COMMIT')
    await waiting
  })

  test('that was removed is written no more; when it is restored, watches start anew', async () => {
    using place = scratch()
    const backup = join(place.folder, 'backup.db')
    const store = await openSqliteStore(place.path, { create: true })
    const { revision } = await store.put('a.kept', text('1'), 'absent')
    await store.close()
    copyFileSync(place.path, backup)

    await using again = await openSqliteStore(place.path)
    await using watcher = new Watcher(again, { below: 'a' })
    await watcher.until('current')
    await again.put('a.kept', text('lost'), revision)
    expect(await watcher.change()).toEqual(['a.kept', 'lost'])
    for (const file of ['', '-wal', '-shm']) rmSync(place.path + file)
    await expect(again.put('a.b', text('2'), 'any')).rejects.toMatchObject({ data: { reason: 'missing' } })
    expect(await watcher.next()).toMatchObject({
      type: 'interrupted',
      error: { data: { reason: 'missing' } },
    })

    renameSync(backup, place.path)
    expect(await watcher.next()).toEqual({ type: 'reset', reason: 'rewound' })
    expect(await watcher.until('current')).toEqual([['a.kept', '1']])
    await again.put('a.kept', text('2'), revision)
    expect(await watcher.change()).toEqual(['a.kept', '2'])
  })

  test('forgets the oldest deletions, and starts a watch anew that would have needed them', async () => {
    using place = scratch()
    await using store = await openSqliteStore(place.path, { create: true, remembered: 3 })
    await store.put('a.kept', text('kept'), 'absent')
    const first = new Watcher(store, { below: 'a' })
    await first.until('current')
    await first.end()
    for (let i = 0; i < 40; i++) {
      await store.put(`b.${i}`, text(''), 'absent')
      await store.delete(`b.${i}`, 'any')
    }
    await using second = new Watcher(store, { below: 'a' }, first.cursor)
    expect(await second.next()).toEqual({ type: 'reset', reason: 'forgotten' })
    expect(await second.until('current')).toEqual([['a.kept', 'kept']])
  })
})
