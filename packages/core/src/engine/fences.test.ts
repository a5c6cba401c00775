import { expect, test } from 'vitest'
import * as z from 'zod'
import type { Step } from '../plan/plan.ts'
import { defineScore } from '../score.ts'
import { Fences, lastRemovals } from './fences.ts'
import type { Task } from './schedule.ts'

defineScore({
  kind: 'FencesBase',
  version: 1,
  needs: [],
  spec: z.strictObject({ name: z.string() }),
  identity: (spec) => spec.name,
  groundwork: true,
  interpret: {
    observe: async () => ({}),
    compare: () => [],
    converge: async () => undefined,
    remove: async () => undefined,
  },
})

const step = (address: string, action: string, after: readonly string[] = []) =>
  ({ address, kind: address.split(':')[0], action, after }) as unknown as Step

test('groundwork is removed last, except for what it stands on', () => {
  const steps = [
    step('File:conf', 'remove'),
    step('File:source', 'remove', ['FencesBase:x']),
    step('FencesBase:x', 'remove'),
    step('File:new', 'create'),
  ]
  expect(lastRemovals(steps)).toEqual(new Map([['FencesBase:x', ['File:conf']]]))
  expect(lastRemovals([step('File:conf', 'remove')]).size).toBe(0)
})

test('one task stands for a list that many follow', () => {
  const tasks: Task[] = []
  const fences = new Fences(tasks)
  const list = ['a', 'b']
  expect(fences.behind(['a'])).toEqual(['a'])
  expect(fences.behind(list)).toBe(fences.behind(list))
  expect(tasks.map(({ id, follows }) => [id, follows])).toEqual([[fences.behind(list)[0], list]])
})
