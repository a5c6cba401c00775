/** Things that are there without Harmony, and things that do not do as they are told. */
import { defineScore, secretable } from '@harmony-iac/core'
import { Files } from '@harmony-iac/core/capabilities'
import { beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import { Desk, outcomes, outline, Place } from './world.ts'

/** A setting that always has a value; it does not take `stuck`, and says nothing about `broken`. */
const Knob = defineScore({
  kind: 'Knob',
  version: 1,
  needs: [Files],
  spec: z.strictObject({ path: z.string(), value: secretable(z.string()) }),
  identity: (spec) => spec.path,
  claims: (spec) => [{ type: 'path', path: spec.path }],
  standing: (spec) => !spec.path.endsWith('.new'),
  interpret: {
    observe: async (spec, { files }) => {
      const entry = await files.inspect(spec.path, { content: true })
      return entry.type === 'file' ? Buffer.from(entry.content.bytes ?? []).toString() : ''
    },
    compare: (spec, state) =>
      state === spec.value.reveal() ? [] : [{ path: 'value', from: state, to: spec.value.reveal() }],
    converge: async (spec, { files }) => {
      const value = spec.value.reveal()
      if (value.includes('stuck') || value === 'broken') return
      await files.writeFile(spec.path, Buffer.from(value), { folder: undefined })
    },
    keep: async (_, __, state) => state,
    remove: async ({ spec, previous }, { files }) => {
      if (typeof previous === 'string')
        await files.writeFile(spec.path, Buffer.from(previous), { folder: undefined })
    },
    explain: async (spec, _, state) => {
      if (spec.value.reveal() === 'broken') throw new Error('nobody knows')
      return [`it stands at ${state}`, `and does not take ${spec.value.reveal()}`]
    },
  },
})

let desk: Desk
beforeEach(() => {
  desk = new Desk(new Place({ files: { '/etc/knob': 'off', '/etc/knob.new': 'off' } }))
})

test('what is known to exist is taken over without a word, and put back on removal', async () => {
  expect(outline(await desk.plan([Knob({ path: '/etc/knob', value: 'on' })]))).toEqual([
    'update Knob:/etc/knob',
  ])
  expect((await desk.plan([Knob({ path: '/etc/knob', value: 'on' })])).conflicts).toEqual([])
  await desk.apply([Knob({ path: '/etc/knob', value: 'on' })])
  await desk.apply([Knob({ path: '/etc/knob', value: 'higher' })])
  expect(desk.place.disk.read('/etc/knob')).toBe('higher')
  await desk.apply([], { destroy: true })
  expect(desk.place.disk.read('/etc/knob')).toBe('off')
})

test('what was as wanted when it was found is put back when a later version has changed it', async () => {
  await desk.apply([Knob({ path: '/etc/knob', value: 'off' })])
  await desk.apply([Knob({ path: '/etc/knob', value: 'on' })])
  await desk.apply([], { destroy: true })
  expect(desk.place.disk.read('/etc/knob')).toBe('off')
})

test('what is not known to exist is a conflict as ever', async () => {
  const { conflicts } = await desk.plan([Knob({ path: '/etc/knob.new', value: 'on' })])
  expect(conflicts).toMatchObject([{ type: 'exists' }])
})

test('what does not do as it is told says why', async () => {
  const result = await desk.apply([Knob({ path: '/etc/knob', value: 'stuck' })])
  expect(outcomes(result)).toEqual({ 'Knob:/etc/knob': 'failure: not-converged' })
  expect(result.results[0]?.error).toMatchObject({
    message: 'is still not as wanted after the change: value\nit stands at off\nand does not take stuck',
    hint: 'see what the lines above say, and apply again',
  })
})

test('a secret does not get out with it', async () => {
  desk.secrets = { knob: 'stuck-secret' }
  const result = await desk.apply([Knob({ path: '/etc/knob', value: { $secret: 'knob' } })])
  expect(outcomes(result)).toEqual({ 'Knob:/etc/knob': 'failure: not-converged' })
  expect(JSON.stringify(result)).not.toContain('stuck-secret')
})

test('that nobody can say why hides nothing', async () => {
  const result = await desk.apply([Knob({ path: '/etc/knob', value: 'broken' })])
  expect(result.results[0]?.error?.message).toBe('is still not as wanted after the change: value')
})
