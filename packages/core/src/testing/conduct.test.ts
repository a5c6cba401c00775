import { expect, test } from 'vitest'
import * as z from 'zod'
import { Files } from '../capabilities/files.ts'
import { missing } from '../interpret.ts'
import { type Asset, asset, assetSchema, type Content, type Sensitive, secret, secretable } from '../late.ts'
import { defineScore } from '../score.ts'
import { conduct, secretValueOf } from './conduct.ts'
import { SimulatedTopology } from './simulated.ts'

const Line = defineScore({
  kind: 'ConductLine',
  version: 1,
  spec: z.strictObject({ path: z.string(), text: secretable(z.union([z.string(), assetSchema])) }),
  needs: [Files],
  identity: (spec) => spec.path,
  interpret: {
    async observe(spec, { files }) {
      return { entry: await files.inspect(spec.path, { content: true }), wanted: await textOf(spec.text) }
    },
    compare(_, { entry, wanted }) {
      if (entry.type !== 'file') return [missing('line')]
      const text = Buffer.from(entry.content.bytes ?? []).toString()
      return text === wanted ? [] : [{ path: 'text', from: text, to: wanted }]
    },
    async converge(spec, { files }, { state }) {
      await files.writeFile(spec.path, Buffer.from(state.wanted), { folder: state.entry.folder })
    },
    async remove({ spec }, { files }) {
      await files.remove(spec.path)
    },
  },
})

async function textOf(value: Sensitive<string | Content>): Promise<string> {
  const revealed = value.reveal()
  if (typeof revealed === 'string') return revealed
  const chunks: Uint8Array[] = []
  for await (const chunk of revealed.open()) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const line = (text: string | Asset | ReturnType<typeof secret>) => Line({ path: '/etc/line', text })

test('plans, applies, finds drift, and takes everything away again', async () => {
  const here = new SimulatedTopology()
  const project = conduct(here, [line('hello')])
  expect((await project.plan()).steps).toMatchObject([{ action: 'create' }])
  expect(here.writes).toEqual([])
  expect(await project.apply()).toMatchObject({ changed: 1, outcomes: { success: 1 } })
  expect(await project.apply()).toMatchObject({ changed: 0, outcomes: { noop: 1 } })
  here.disk.write('/etc/line', 'tampered')
  expect((await project.drift()).entries).toMatchObject([{ status: 'changed' }])
  expect(await project.entries()).toMatchObject([{ address: 'ConductLine:/etc/line', project: 'test' }])
  await project.destroy()
  expect([here.disk.paths('/etc'), here.residue()]).toEqual([[], []])
})

test('secrets and assets have the values that the test gives them', async () => {
  const here = new SimulatedTopology()
  await conduct(here, [line(asset('./a'))], { assets: { './a': 'from an asset' } }).apply()
  expect(here.disk.read('/etc/line')).toBe('from an asset')
  await conduct(here, [line(secret('s'))], { secrets: { s: 'from the test' } }).apply()
  expect(here.disk.read('/etc/line')).toBe('from the test')
  await conduct(here, [line(secret('s'))]).apply()
  expect(here.disk.read('/etc/line')).toBe(secretValueOf('s'))
  const { failures } = await conduct(here, [line(asset('./none'))]).plan()
  expect(failures).toMatchObject([{ code: 'asset-unreadable' }])
})

test('a plan that may not be carried out is not', async () => {
  const here = new SimulatedTopology({ files: { '/etc/line': 'theirs' } })
  await expect(conduct(here, [line('ours')]).apply()).rejects.toMatchObject({
    code: 'plan-conflict',
    message: expect.stringMatching(/^ConductLine:\/etc\/line: exists, .*\(exists\)$/),
  })
  expect(here.disk.read('/etc/line')).toBe('theirs')
})

test('Scores that are not valid are refused as in a project', () => {
  expect(() => conduct(new SimulatedTopology(), [Line({ path: 5 as never, text: '' })])).toThrow(
    /expected string/,
  )
})
