import { HarmonyError } from '@harmony-iac/core/errors'
import { expect, test } from 'vitest'
import { hostStatus, mergeErrors, statusOfAll } from './failures.ts'

const failed = (code: ConstructorParameters<typeof HarmonyError>[0]) => ({
  topology: 'x',
  error: new HarmonyError(code, code),
})

test.each([
  [[], 2, 0],
  [['unreachable'], 2, 1],
  [['unreachable', 'locked'], 2, 69],
  [['unreachable', 'system'], 2, 1],
  [['system'], 1, 1],
] as const)('%j of %i hosts is %i', (codes, hosts, status) => {
  expect(hostStatus(codes.map(failed), hosts)).toBe(status)
})

test('what concerns the project, not a host, is the error of the command; an interruption before all', () => {
  expect(mergeErrors([failed('unreachable'), failed('system')])).toBeUndefined()
  expect(mergeErrors([failed('unreachable'), failed('claim-conflict')])?.code).toBe('claim-conflict')
  expect(mergeErrors([failed('claim-conflict'), failed('interrupted')])?.code).toBe('interrupted')
})

test.each([
  [['plan-stale', 'system'], 1],
  [['unreachable', 'locked'], 69],
  [['unreachable', 'system'], 1],
  [[], 1],
] as const)('all of %j is %i', (codes, status) => {
  expect(statusOfAll(codes.map(failed))).toBe(status)
})
