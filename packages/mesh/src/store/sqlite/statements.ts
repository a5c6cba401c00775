/** All that is ever asked of the file, prepared once for each connection. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** By what they are for. */
export type Statements = Readonly<Record<keyof typeof texts, StatementSync>>

const texts = {
  dataVersion: 'PRAGMA data_version',
  state: 'SELECT epoch, revision, forgotten FROM state',
  count: 'UPDATE state SET revision = revision + 1 RETURNING revision',
  entry: 'SELECT key, revision, time, value FROM entries WHERE key = ?',
  write: 'INSERT OR REPLACE INTO entries (key, revision, time, value) VALUES (?, ?, ?, ?)',
  // The plus signs keep SQLite from looking the range of keys up and sorting what it found for every step of a watch.
  changes: `SELECT key, revision, time, value FROM entries
    WHERE revision > ? AND +key >= ? AND +key < ? ORDER BY revision LIMIT ?`,
  /** The newest deletion that is one too many. */
  oldest: 'SELECT revision FROM entries WHERE value IS NULL ORDER BY revision DESC LIMIT 1 OFFSET ?',
  forget: 'DELETE FROM entries WHERE value IS NULL AND revision <= ?',
  forgetTo: 'UPDATE state SET forgotten = ?',
} as const

/** Prepares them. */
export function statements(db: DatabaseSync): Statements {
  const prepared = Object.entries(texts).map(([name, text]) => [name, db.prepare(text)])
  return Object.fromEntries(prepared) as Statements
}
