import { readdirSync, writeFileSync } from 'node:fs'
import type { Shell } from '@harmony-iac/core/capabilities'
import { faultyHost } from '@harmony-iac/core/testing'
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import { scratch } from '../test/scratch.ts'
import { localHost } from './hosts/local.ts'
import { LocalTopology } from './local.ts'

function withStateDir(path: string): void {
  const before = process.env.HARMONY_STATE_DIR
  process.env.HARMONY_STATE_DIR = path
  onTestFinished(() => {
    if (before === undefined) delete process.env.HARMONY_STATE_DIR
    else process.env.HARMONY_STATE_DIR = before
  })
}

describe('this machine as a topology', () => {
  test('offers files, and shell only when asked for, to the compiler as at run time', () => {
    const plain = new LocalTopology()
    const open = new LocalTopology({ name: 'here', shell: true })
    expect([plain.name, 'shell' in plain, open.name, 'shell' in open]).toEqual(['local', false, 'here', true])
    expectTypeOf(plain).not.toHaveProperty('shell')
    expectTypeOf(open.shell).toEqualTypeOf<Shell>()
    expectTypeOf(new LocalTopology({ shell: (Math.random() > 2) as boolean })).not.toHaveProperty('shell')
    expect(plain).toBeInstanceOf(LocalTopology)
    // @ts-expect-error a misspelt option
    expect(new LocalTopology({ shel: true })).not.toHaveProperty('shell')
  })

  test('does nothing before it is used', async () => {
    const dir = scratch()
    withStateDir(`${dir}/state`)
    const host = faultyHost(localHost())
    const topology = new LocalTopology({ shell: true, host })
    expect(topology.home.description).toBe(`${dir}/state`)
    await topology.close?.()
    await topology.close?.()
    expect([host.faults.calls, readdirSync(dir)]).toEqual([[], []])
  })

  test('writes nothing while it is only looked at', async () => {
    const dir = scratch()
    withStateDir(`${dir}/state`)
    writeFileSync(`${dir}/f`, 'x')
    const host = faultyHost(localHost())
    const { files, home } = new LocalTopology({ host })
    await files.inspect(`${dir}/f`, { content: true })
    await files.inspect(`${dir}/none`)
    await files.list(dir)
    await files.resolve(`${dir}/f`)
    await files.checkPrincipals({ owner: 'root', group: 0 })
    await home.read('ledger')
    expect([host.faults.calls, readdirSync(dir)]).toEqual([[], ['f']])
  })

  test('keeps its ledger where HARMONY_STATE_DIR says, from the current folder', async () => {
    withStateDir('relative/state')
    expect(new LocalTopology().home.description).toBe(`${process.cwd()}/relative/state`)
  })

  test('shares its home with every other one of the same machine', () => {
    withStateDir('/somewhere')
    expect(new LocalTopology({ name: 'a' }).home.id).toBe(new LocalTopology({ name: 'b' }).home.id)
  })

  test('puts copies of adopted things beside its ledger, and home goes when they are gone', async () => {
    const dir = scratch()
    withStateDir(`${dir}/state`)
    writeFileSync(`${dir}/f`, 'before')
    const { files, home } = new LocalTopology()
    const lock = await home.lock({ holder: 'test', waitMs: 0 })
    const note = await files.keep(`${dir}/f`)
    expect(readdirSync(`${dir}/state`)).toEqual(['kept', 'lock'])
    await files.putBack(`${dir}/f`, note)
    await home.dissolve()
    await lock.release()
    expect(readdirSync(dir)).toEqual(['f'])
  })
})
