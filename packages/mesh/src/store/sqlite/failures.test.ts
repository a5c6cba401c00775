import { describe, expect, test } from 'vitest'
import { failureOf, failureOfCommit, isLocked } from './failures.ts'

/** As `node:sqlite` throws it. */
function sqliteError(errcode: number): Error {
  return Object.assign(new Error('an error of SQLite'), { code: 'ERR_SQLITE_ERROR', errcode })
}

describe('what went wrong is told by its reason', () => {
  test.each([
    ['SQLITE_BUSY', sqliteError(5), 'store-unreachable', 'locked'],
    ['SQLITE_BUSY_SNAPSHOT', sqliteError(517), 'store-unreachable', 'locked'],
    ['SQLITE_READONLY_DIRECTORY', sqliteError(1544), 'store-unreachable', 'read-only'],
    ['SQLITE_IOERR_READ', sqliteError(266), 'store-unreachable', 'failing'],
    ['SQLITE_CORRUPT', sqliteError(11), 'store-damaged', 'corrupt'],
    ['SQLITE_FULL', sqliteError(13), 'store-unreachable', 'full'],
    ['SQLITE_CANTOPEN', sqliteError(14), 'store-unreachable', 'denied'],
    ['SQLITE_NOTADB', sqliteError(26), 'store-damaged', 'foreign'],
    ['ENOENT', Object.assign(new Error(), { code: 'ENOENT' }), 'store-unreachable', 'missing'],
    ['ENOSPC', Object.assign(new Error(), { code: 'ENOSPC' }), 'store-unreachable', 'full'],
    [
      'a Node without SQLite',
      Object.assign(new Error(), { code: 'ERR_UNKNOWN_BUILTIN_MODULE' }),
      'store-unreachable',
      'unsupported',
    ],
  ])('%s', (_, error, code, reason) => {
    const failure = failureOf(error, '/s.db')
    expect(failure).toMatchObject({ code, data: { reason }, cause: error })
    expect(failure.message).toContain('/s.db')
    expect(failure.hint).toBeTruthy()
  })

  test('what nobody has foreseen stays what it is', () => {
    expect(failureOf(new TypeError('a fault'), '/s.db')).toMatchObject({ code: 'internal' })
  })
})

describe('a commit that failed', () => {
  test.each([
    ['for want of a lock was not done', sqliteError(5), 'store-unreachable'],
    ['for want of room was not done', sqliteError(13), 'store-unreachable'],
    ['while it was flushed may have been done', sqliteError(1034), 'store-uncertain'],
    ['in a way nobody has foreseen may have been done', new Error('?'), 'store-uncertain'],
  ])('%s', (_, error, code) => {
    expect(failureOfCommit(error, '/s.db', 'a.b').code).toBe(code)
  })
})

test('only a lock is waited for', () => {
  expect(isLocked(failureOf(sqliteError(5), '/s.db'))).toBe(true)
  expect(isLocked(failureOf(sqliteError(13), '/s.db'))).toBe(false)
})
