import { expect, test } from 'vitest'
import { isOver, thisRun } from './this-run.ts'

const [namespace, pid, started] = thisRun.split('.')

test.each([
  { what: 'this one', run: thisRun, over: false },
  {
    what: 'one whose id another process has now',
    run: `${namespace}.${pid}.${Number(started) - 1}`,
    over: true,
  },
  { what: 'one whose id nobody has', run: `${namespace}.4194305.17`, over: true },
  { what: 'one of another namespace', run: `1${namespace}.4194305.17`, over: false },
  { what: 'something else', run: '', over: false },
])('tells of $what whether it is over', ({ run, over }) => {
  expect(isOver(run)).toBe(over)
})

test('a name fits into the name of a folder', () => {
  expect(thisRun).toMatch(/^\d+\.\d+\.\d+$/)
})
