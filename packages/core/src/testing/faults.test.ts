import { describe, expect, test } from 'vitest'
import { Faults, Killed, type Moment } from './faults.ts'

/** A thing that writes in three parts. */
function ledger(faults: Faults) {
  const lines: string[] = []
  const write = (line: string) =>
    faults.write({ port: 'ledger', method: 'write', subject: line }, ({ within }) => {
      lines.push(`${line} 1`)
      within()
      lines.push(`${line} 2`)
      within()
      lines.push(`${line} 3`)
    })
  const read = () => faults.read({ port: 'ledger', method: 'read', subject: '' }, () => [...lines])
  return { lines, write, read }
}

describe('a kill', () => {
  test.each<[moment: Moment, left: readonly string[]]>([
    ['before', ['a 1', 'a 2', 'a 3']],
    [1, ['a 1', 'a 2', 'a 3', 'b 1']],
    [2, ['a 1', 'a 2', 'a 3', 'b 1', 'b 2']],
    ['after', ['a 1', 'a 2', 'a 3', 'b 1', 'b 2', 'b 3']],
  ])('at moment %s of the second write leaves %j', async (moment, left) => {
    const faults = new Faults()
    const { lines, write, read } = ledger(faults)
    faults.killAt(2, moment)
    await write('a')
    await expect(write('b')).rejects.toThrow(Killed)
    expect(faults.killed).toBe(true)
    await expect(write('c')).rejects.toThrow(Killed)
    await expect(read()).rejects.toThrow(Killed)
    expect(lines).toEqual(left)
    faults.restart()
    await write('d')
    expect(lines.slice(left.length)).toEqual(['d 1', 'd 2', 'd 3'])
  })

  test('ends what others have under way', async () => {
    const faults = new Faults()
    const { lines, write } = ledger(faults)
    let proceed = () => {}
    const slow = faults.write({ port: 'slow', method: 'write', subject: '' }, async ({ alive }) => {
      await new Promise<void>((resolve) => {
        proceed = resolve
      })
      alive()
      lines.push('too late')
    })
    faults.killAt(1, 'before')
    await expect(write('a')).rejects.toThrow(Killed)
    faults.restart()
    proceed()
    await expect(slow).rejects.toThrow(Killed)
    expect(lines).toEqual([])
  })

  test('is told to whatever ends with its process', () => {
    const faults = new Faults()
    const told: string[] = []
    faults.onKill(() => told.push('lock'))
    faults.kill()
    faults.kill()
    expect(told).toEqual(['lock'])
  })
})

describe('an error', () => {
  test('comes at the n-th write, which does nothing then', async () => {
    const faults = new Faults()
    const { lines, write } = ledger(faults)
    faults.failAt(2, 'ENOSPC')
    await write('a')
    await expect(write('b')).rejects.toMatchObject({ code: 'ENOSPC', syscall: 'write', path: 'b' })
    await write('c')
    expect(lines.map((line) => line[0])).toEqual(['a', 'a', 'a', 'c', 'c', 'c'])
  })

  test('comes wherever it is asked for, as often as it is asked for', async () => {
    const faults = new Faults()
    const { write, read } = ledger(faults)
    faults.fail(({ method }) => method === 'read', 'EACCES', 1)
    faults.fail(({ subject }) => subject === 'bad', new Error('no'))
    await expect(read()).rejects.toMatchObject({ code: 'EACCES' })
    await expect(read()).resolves.toEqual([])
    await expect(write('bad')).rejects.toThrow('no')
    await expect(write('bad')).rejects.toThrow('no')
    await expect(write('good')).resolves.toBeUndefined()
  })
})

test('every write is counted, with the moments within it; a read is none', async () => {
  const faults = new Faults()
  const { write, read } = ledger(faults)
  await write('a')
  await read()
  expect(faults.writes).toEqual([{ port: 'ledger', method: 'write', subject: 'a', moments: 2 }])
  faults.forget()
  expect(faults.writes).toEqual([])
})

test('a port of your own is counted by the names of its methods', async () => {
  class Lights {
    readonly lit = new Set<string>()
    async on(name: string) {
      this.lit.add(name)
    }
    async isOn(name: string) {
      return this.lit.has(name)
    }
  }
  const faults = new Faults()
  const lights = faults.port('lights', new Lights(), ['on'])
  await lights.on('red')
  expect(await lights.isOn('red')).toBe(true)
  expect([...lights.lit]).toEqual(['red'])
  expect(faults.writes).toEqual([{ port: 'lights', method: 'on', subject: 'red', moments: 0 }])
  faults.killAt(1, 'after')
  await expect(lights.on('green')).rejects.toThrow(Killed)
  await expect(lights.isOn('green')).rejects.toThrow(Killed)
  expect(lights.lit.has('green')).toBe(true)
})
