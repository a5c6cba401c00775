/** Every example does what a project does, through the real command, as anybody and anywhere. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeSandbox, type Ran, tracesIn } from './testing/sandbox.ts'

const examples = join(import.meta.dirname, '../examples')
// The kiosk is another machine: `kiosk.e2e.test.ts` plays it on one.
const names = readdirSync(examples).filter((name) => name !== 'kiosk')

const refused = names.filter((name) => existsSync(join(examples, name, 'fixtures/refused.ts')))

test.each(names)('%s is planned, applied, found unchanged and destroyed without a trace', (name) => {
  using sandbox = makeSandbox(join(examples, name))
  const { harmony } = sandbox
  expect(harmony('check')).toMatchObject({ status: 0 })
  expect(harmony('plan')).toMatchObject({ status: 2 })
  expect(tracesIn(sandbox)).toEqual([])
  expect(harmony('apply', '--yes')).toMatchObject({ status: 0 })
  expect(summaryOf(harmony('apply', '--yes', '--json'))).toMatchObject({ changed: 0 })
  expect(harmony('plan')).toMatchObject({ status: 0 })
  expect(harmony('drift')).toMatchObject({ status: 0 })
  expect(harmony('destroy', '--yes')).toMatchObject({ status: 0 })
  expect(tracesIn(sandbox)).toEqual([])
})

test.each(refused)(
  '%s has a project that the compiler refuses on the guilty line, before anything is looked at',
  (name) => {
    using sandbox = makeSandbox(join(examples, name))
    const { status, text } = sandbox.harmony('plan', '-p', 'fixtures/refused.ts')
    expect(status).toBe(65)
    expect(text).toMatch(/refused\.ts\(\d+,\d+\): error TS2322/)
    expect(text).toMatch(/Property '\w+' is missing in type 'LocalTopology' but required in type/)
  },
)

function summaryOf({ out }: Ran): unknown {
  return JSON.parse(out.trim().split('\n').at(-1) ?? '')
}
