import { expect, test } from 'vitest'
import { near } from './near.ts'

const zones = ['Europe/Berlin', 'Europe/Bern', 'America/New_York', 'Asia/Tokyo', 'UTC']

test.each([
  ['Europe/Belrin', ['Europe/Berlin', 'Europe/Bern']],
  ['europe/berlin', ['Europe/Berlin', 'Europe/Bern']],
  ['america/newyork', ['America/New_York']],
  ['Mars', []],
  ['', []],
])('%s may have been %j', (name, nearest) => {
  expect(near(name, zones)).toEqual(nearest)
})
