/**
 * The file of a store: made, opened, recognised. A write-ahead log (WAL), because then readers and the one writer do not
 * wait for each other and a commit is one fsync where a rollback journal takes four; `synchronous = FULL`, because
 * what was acknowledged has to outlive a power cut. `docs/decisions/0023-stores.md` has the figures.
 */
import { randomUUID } from 'node:crypto'
import { chmodSync, closeSync, openSync, type Stats, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { storeDamaged } from '../errors.ts'
import { failureOf, missing } from './failures.ts'

/** An open file. */
export interface Database {
  readonly db: DatabaseSync
  /** Which file it is, whatever its name. */
  readonly file: string
}

/** "Hmny": how `file(1)` and we tell a store from other databases. */
const applicationId = 0x486d6e79
const version = 1

const schema = `
  CREATE TABLE state (
    epoch TEXT NOT NULL,
    -- The newest revision ever given, so that none is given twice.
    revision INTEGER NOT NULL,
    -- Deletions up to here may have been forgotten.
    forgotten INTEGER NOT NULL,
    -- Which file this was when its epoch began.
    file TEXT NOT NULL
  ) STRICT;
  CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    revision INTEGER NOT NULL UNIQUE,
    time INTEGER NOT NULL,
    -- NULL: deleted. Last, because a large value has pages of its own.
    value BLOB
  ) STRICT;
  CREATE INDEX deletions ON entries (revision) WHERE value IS NULL;
`

/**
 * Opens the file, and makes it first if it is to be made. Locks are not waited for.
 * @throws HarmonyError `store-unreachable`, `store-damaged`.
 */
export function openDatabase(sqlite: typeof import('node:sqlite'), path: string, create: boolean): Database {
  let db: DatabaseSync | undefined
  try {
    if (create) createFile(path)
    const stats = statSync(path)
    if (!stats.isFile()) throw storeDamaged('foreign', `${path} is not a file`, 'name a file')
    // Before SQLite makes the files beside it, which get the same mode.
    if ((stats.mode & 0o077) !== 0) chmodSync(path, 0o600)
    // Never SQLite's own waiting: it would block the process.
    db = new sqlite.DatabaseSync(path, { timeout: 0 })
    const file = identityOf(stats)
    prepare(db, path, file)
    return { db, file }
  } catch (error) {
    db?.close()
    throw failureOf(error, path)
  }
}

/** Which file is at that path now. @throws HarmonyError `store-unreachable`, reason `missing`. */
export function fileAt(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) throw missing(path)
  return identityOf(stats)
}

/** An inode's number is used again, together with the time of its birth it is not. */
function identityOf({ ino, birthtimeMs }: Stats): string {
  return `${ino}@${birthtimeMs}`
}

/** With its mode from the first moment on. A file that is there is left alone: to close it would end SQLite's locks. */
function createFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function prepare(db: DatabaseSync, path: string, file: string): void {
  db.exec('PRAGMA synchronous = FULL')
  if (pragma(db, 'application_id') !== applicationId) makeTables(db, path, file)
  const found = pragma(db, 'user_version')
  if (found !== version)
    throw storeDamaged(
      'newer',
      `${path} is of version ${found}, and this Harmony knows ${version}`,
      'upgrade',
    )
  if (pragma(db, 'journal_mode') !== 'wal') db.exec('PRAGMA journal_mode = WAL')
  // A log that one large write has made long does not stay so.
  db.exec('PRAGMA journal_size_limit = 4194304')
  if (db.prepare('SELECT file FROM state').get()?.file !== file) beginEpoch(db, path, file)
}

/** In one transaction; another process may do the same. */
function makeTables(db: DatabaseSync, path: string, file: string): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    const isForeign = db.prepare('SELECT 1 FROM sqlite_schema').get() !== undefined
    if (pragma(db, 'application_id') !== applicationId) {
      if (isForeign || pragma(db, 'application_id') !== 0)
        throw storeDamaged('foreign', `${path} is a database of something else`, 'name another file')
      db.exec(schema)
      db.prepare('INSERT INTO state VALUES (?, 0, 0, ?)').run(randomUUID(), file)
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}`)
    }
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/**
 * The file is a copy: restored from a backup, perhaps, whose newest writes are lost. Whoever watches has to start anew.
 * It may have been copied while it was written, too.
 */
function beginEpoch(db: DatabaseSync, path: string, file: string): void {
  const found = db.prepare('PRAGMA quick_check(1)').get()?.quick_check
  if (found !== 'ok')
    throw storeDamaged(
      'corrupt',
      `${path} is damaged: ${found}`,
      'restore another backup, without -wal and -shm',
    )
  db.prepare('UPDATE state SET epoch = ?, file = ? WHERE file <> ?').run(randomUUID(), file, file)
}

function pragma(db: DatabaseSync, name: string): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name]
}
