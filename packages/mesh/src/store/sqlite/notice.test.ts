import { mkdtempSync, renameSync, rmSync, statSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Notice } from './notice.ts'

let folder = ''
let path = ''
let over: () => void = () => {}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harmony-notice-'))
  path = join(folder, 'file')
  writeFileSync(path, '')
})
afterEach(() => {
  over()
  vi.useRealTimers()
  rmSync(folder, { recursive: true, force: true })
})

/** Counts how often somebody asks, and resolves when somebody has asked once more. */
function asking() {
  let asked = 0
  let tell = () => {}
  return {
    ask: () => {
      asked++
      tell()
      return String(statSync(path).ino)
    },
    count: () => asked,
    once: () =>
      new Promise<void>((resolve) => {
        tell = resolve
      }),
  }
}

test('a touch by another is noticed', async () => {
  const { ask, once } = asking()
  over = new Notice(path, ask).want()
  const noticed = once()
  new Notice(path, ask).touch()
  await noticed
})

test('a file that takes the place of another is noticed, and so are touches of it', async () => {
  const { ask, once } = asking()
  over = new Notice(path, ask).want()
  const replaced = once()
  writeFileSync(join(folder, 'new'), '')
  renameSync(join(folder, 'new'), path)
  await replaced
  const touched = once()
  new Notice(path, ask).touch()
  await touched
})

test('where no watch can be had, it asks often, until one can', () => {
  vi.useFakeTimers()
  const { ask, count } = asking()
  let left = 0
  const scarce = (...of: Parameters<typeof watch>) => {
    if (left === 0) throw Object.assign(new Error('no watch is left'), { code: 'ENOSPC' })
    return watch(...of)
  }
  over = new Notice(path, ask, scarce as typeof watch).want()
  expect(count()).toBe(1)
  vi.advanceTimersByTime(1000)
  expect(count()).toBe(51)
  left = 1
  vi.advanceTimersByTime(1020)
  expect(count()).toBe(54)
})

test('it asks nothing while nobody wants to know', () => {
  vi.useFakeTimers()
  const { ask, count } = asking()
  const notice = new Notice(path, ask)
  vi.advanceTimersByTime(5000)
  const [one, two] = [notice.want(), notice.want()]
  one()
  one()
  vi.advanceTimersByTime(2000)
  expect(count()).toBe(4)
  two()
  vi.advanceTimersByTime(5000)
  expect(count()).toBe(4)
})

test('a touch of what is gone harms nobody', () => {
  expect(() => new Notice(join(folder, 'none'), () => undefined).touch()).not.toThrow()
})
