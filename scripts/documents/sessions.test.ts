import { expect, test } from 'vitest'
import { withoutChance } from './sessions.ts'

test.each([
  ['how long it took', 'Done: 2 done (0.04 s).', 'Done: 2 done (12 s).'],
  [
    'when it was',
    '{"time":"2026-01-01T10:00:00.000Z","durationMs":12.5}',
    '{"time":"2027-01-01T10:00:00.000Z","durationMs":3}',
  ],
  [
    'what was done first of what is done side by side',
    '✓ File:/a created\n✓ File:/b created\n',
    '✓ File:/b created\n✓ File:/a created\n',
  ],
])('%s does not count', (_, one, other) => {
  expect(withoutChance(one)).toBe(withoutChance(other))
})

test('what was done does count', () => {
  expect(withoutChance('✓ File:/a created\n')).not.toBe(withoutChance('✓ File:/a removed\n'))
})
