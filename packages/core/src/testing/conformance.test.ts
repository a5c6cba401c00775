/** The kit, proven: a sound kind passes, and each way to be unsound is found by the check that is named after it. */
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Json } from '../canonical.ts'
import { type FileSystem, Files } from '../capabilities/files.ts'
import { path as claimPath } from '../claims.ts'
import { type Difference, missing, type Run } from '../interpret.ts'
import { ref, type Secret, type Sensitive, secret, secretable } from '../late.ts'
import { defineScore } from '../score.ts'
import { type Conformance, type Rule, scoreConformance } from './conformance.ts'
import { SimulatedTopology } from './simulated.ts'

interface NoteSpec {
  readonly name: string
  readonly text: string | Secret
  readonly mode?: string | undefined
}

interface Note {
  readonly name: string
  readonly text: Sensitive<string>
  readonly mode?: string | undefined
}

interface Seen {
  at: string
  text: string | undefined
  mode: string | undefined
  folder: string | undefined
}

interface On {
  readonly files: FileSystem
}

const name = z.string().regex(/^[a-z]+$/)
const mode = z.string().regex(/^0[0-7]{3}$/)
const fields = { name, text: secretable(ref(z.string())), mode: mode.optional() }
const sound = {
  version: 1,
  spec: z.strictObject(fields) as unknown as z.ZodType<NoteSpec, NoteSpec>,
  identity: (spec: NoteSpec) => spec.name,
}

const verbs = {
  async observe(spec: Pick<NoteSpec, 'name'>, { files }: On): Promise<Seen> {
    const at = `/srv/${spec.name}`
    const entry = await files.inspect(at, { content: true })
    if (entry.type !== 'file') return { at, text: undefined, mode: undefined, folder: entry.folder }
    return {
      at,
      text: Buffer.from(entry.content.bytes ?? []).toString(),
      mode: entry.mode,
      folder: entry.folder,
    }
  },
  compare(spec: Note, state: Seen): readonly Difference[] {
    const text = spec.text.reveal()
    if (state.text === undefined) return [missing('note'), { path: 'text', from: null, to: text }]
    const found: Difference[] = []
    if (state.text !== text) found.push({ path: 'text', from: state.text, to: text })
    if (spec.mode !== undefined && spec.mode !== state.mode)
      found.push({ path: 'mode', from: state.mode ?? null, to: spec.mode })
    return found
  },
  async converge(spec: Note, { files }: On, { state }: Run<Seen>): Promise<void> {
    await files.writeFile(state.at, Buffer.from(spec.text.reveal()), {
      mode: spec.mode,
      folder: state.folder,
    })
  },
  async remove(
    { spec, previous }: { readonly spec: Pick<NoteSpec, 'name'>; readonly previous: Json | undefined },
    { files }: On,
  ): Promise<void> {
    if (previous !== undefined) await files.putBack(`/srv/${spec.name}`, previous as never)
    else await files.remove(`/srv/${spec.name}`)
  },
  async recover(spec: NoteSpec, { files }: On): Promise<void> {
    await files.cleanUp(`/srv/${spec.name}`)
  },
  async keep(_: Note, { files }: On, { at }: Seen): Promise<Json> {
    return await files.keep(at)
  },
}

type Verbs = typeof verbs
interface Defects {
  readonly spec?: z.ZodType<NoteSpec, NoteSpec>
  readonly identity?: (spec: NoteSpec) => string
  readonly interpret?: Partial<Verbs> & Record<string, unknown>
  readonly kit?: Partial<Conformance<SimulatedTopology>>
}

let made = 0

function kitOf({ interpret, kit, ...definition }: Defects): Conformance<SimulatedTopology> {
  const Kind = defineScore({
    ...sound,
    ...definition,
    kind: `KitTest${made++}`,
    needs: [Files],
    claims: (spec) => [claimPath(`/srv/${spec.name}`)],
    interpret: { ...verbs, ...interpret } as never,
  })
  const at = '/srv/note'
  return {
    factory: Kind,
    topology: () => new SimulatedTopology(),
    cases: [
      {
        name: 'a note',
        scores: () => [Kind({ name: 'note', text: 'hello', mode: '0640' })],
        updated: () => [Kind({ name: 'note', text: 'hello again', mode: '0600' })],
        occupied: ({ disk }) => disk.write(at, 'theirs', { mode: '0604' }),
        tampers: {
          '': ({ disk }) => disk.remove(at),
          name: ({ disk }) => disk.remove(at),
          text: ({ disk }) => disk.write(at, 'tampered'),
          mode: ({ disk }) => disk.chmod(at, '0666'),
        },
      },
      { name: 'a secret note', scores: () => [Kind({ name: 'note', text: secret('word') })] },
    ],
    ...kit,
  }
}

async function broken(kit: Conformance<SimulatedTopology>, only?: Rule): Promise<ReadonlyMap<Rule, string>> {
  const found = new Map<Rule, string>()
  for (const { rule, run } of scoreConformance(kit))
    try {
      if (only !== undefined && rule !== only) continue
      await run()
    } catch (thrown) {
      if (!found.has(rule)) found.set(rule, (thrown as Error).message)
    }
  return found
}

test('a sound kind keeps every rule', async () => {
  expect(await broken(kitOf({}))).toEqual(new Map())
})

test('checks have names of their own, which say kind, case and rule', () => {
  const names = scoreConformance(kitOf({})).map((check) => check.name)
  expect(new Set(names).size).toBe(names.length)
  expect(names).toContainEqual(
    expect.stringMatching(/^KitTest\d+, a note: tamper is seen and repaired \(mode\)$/),
  )
})

const defects: readonly (readonly [defect: string, rule: Rule, defects: Defects, says: RegExp])[] = [
  [
    'takes fields within fields that it does not know',
    'schema is strict',
    { spec: z.strictObject({ ...fields, more: z.object({ a: z.string() }).optional() }) as never },
    /^more takes fields that it does not know/,
  ],
  [
    'trims what it is given',
    'schema changes nothing',
    { spec: z.strictObject({ ...fields, text: secretable(ref(z.string().trim())) }) as never },
    /changes text: " padded " comes back as "padded"/,
  ],
  [
    'takes numbers for text',
    'schema changes nothing',
    { spec: z.strictObject({ ...fields, text: secretable(ref(z.coerce.string())) }) as never },
    /changes text/,
  ],
  [
    'has a field that JSON cannot say',
    'wire form round-trips',
    {
      spec: z.strictObject({
        ...fields,
        mode: z.custom<string>().default(() => undefined as never),
      }) as never,
      identity: (spec) => (spec.mode ? `${spec.name}` : `${spec.name}${made++}`),
    },
    /has the spec of|another one/,
  ],
  [
    'takes a late field into its identity',
    'identity is known early',
    { identity: (spec) => `${spec.name} ${String(spec.text)}` },
    /depends on text/,
  ],
  [
    'reads back only the first line of a text',
    'hostile text is refused or kept',
    { interpret: { observe: async (...given) => firstLine(await verbs.observe(...given)) } },
    /text = ".*\\n.*" is accepted, and breaks/,
  ],
  [
    'breaks where a text has quotes',
    'hostile text is refused or kept',
    {
      interpret: {
        compare: (spec, state) => {
          JSON.parse(`"${spec.text.reveal().replaceAll(/\p{Cc}/gu, '')}"`)
          return verbs.compare(spec, state)
        },
      },
    },
    /is accepted, and breaks/,
  ],
  [
    'writes while it observes',
    'plan writes nothing',
    {
      interpret: {
        observe: async (spec, on) => {
          await on.files.writeFile('/srv/lock', new Uint8Array(), { folder: '/srv' })
          return await verbs.observe(spec, on)
        },
      },
    },
    /files\.writeFile \/srv\/lock/,
  ],
  [
    'never gets there',
    'apply converges',
    { interpret: { converge: async () => undefined } },
    /not-converged/,
  ],
  [
    'finds something to discard for ever',
    'second pass changes nothing',
    {
      interpret: {
        surplus: async () => [{ claim: claimPath('/srv/stray'), fingerprint: '' }],
        discard: async () => undefined,
      },
    },
    /#surplus: purge/,
  ],
  [
    'changes the state that it compares',
    'compare is pure',
    {
      interpret: {
        compare: (spec, state) => {
          state.text = state.text?.trim()
          return verbs.compare(spec, state)
        },
      },
    },
    /read only property|pure/,
  ],
  [
    'compares with a memory of its own',
    'compare is pure',
    {
      interpret: {
        compare: (spec, state) =>
          verbs
            .compare(spec, state)
            .map((difference) => ({ ...difference, from: difference.from ?? `look ${made++}` })),
      },
    },
    /of one state it says/,
  ],
  [
    'adds to what is there instead of replacing it',
    'converge can run twice',
    {
      interpret: {
        compare: (spec, state) =>
          state.text?.includes(spec.text.reveal()) ? [] : verbs.compare(spec, state),
        converge: async (spec, { files }, { state }) => {
          const text = `${state.text ?? ''}${spec.text.reveal()}\n`
          await files.writeFile(state.at, Buffer.from(text), { folder: state.folder })
        },
      },
    },
    /converged twice/,
  ],
  [
    'cannot remove what is gone',
    'remove can run twice',
    {
      interpret: {
        remove: async (applied, { files }) => {
          if ((await files.remove(`/srv/${applied.spec.name}`)) === 'absent') throw new Error('it is gone')
        },
      },
    },
    /it is gone/,
  ],
  [
    'leaves its thing behind',
    'destroy leaves no trace',
    { interpret: { remove: async () => undefined } },
    /\/srv\/note: absent →/,
  ],
  [
    'does not look at the mode',
    'tamper is seen and repaired',
    { interpret: { compare: (spec, state) => verbs.compare({ ...spec, mode: undefined }, state) } },
    /does not see it/,
  ],
  [
    'sees the mode and sets it only for new files',
    'tamper is seen and repaired',
    {
      interpret: {
        converge: async (spec, on, run) =>
          await verbs.converge(run.state.text === undefined ? spec : { ...spec, mode: undefined }, on, run),
      },
    },
    /not-converged/,
  ],
  [
    'keeps nothing of what was there',
    'what was there is put back',
    { interpret: { keep: undefined as never } },
    /theirs/,
  ],
  [
    'takes what is there for nothing',
    'what was there is put back',
    {
      interpret: {
        compare: (spec, state) =>
          state.text === spec.text.reveal() && state.mode === (spec.mode ?? state.mode)
            ? []
            : [missing('note')],
      },
    },
    /no conflict/,
  ],
  [
    'remembers a secret',
    'secrets stay secret',
    {
      interpret: {
        converge: async (spec, on, run) => {
          await verbs.converge(spec, on, run)
          run.remember(spec.text.reveal())
        },
      },
    },
    /secret/,
  ],
  [
    'leaves its temporary file when it is killed',
    'apply survives kills',
    {
      interpret: {
        converge: async (spec, on, run) => {
          await on.files.writeFile('/srv/note.tmp', Buffer.from(spec.text.reveal()), { folder: '/srv' })
          await verbs.converge(spec, on, run)
          await on.files.remove('/srv/note.tmp')
        },
      },
    },
    /killed .*note\.tmp.*: absent →/s,
  ],
  [
    'does not clean up after a kill',
    'apply survives kills',
    { interpret: { recover: async () => undefined } },
    /killed/,
  ],
  [
    'sets the mode in a second step that it forgets',
    'update survives kills',
    {
      interpret: {
        compare: (spec, state) => (state.text === spec.text.reveal() ? [] : verbs.compare(spec, state)),
        converge: async (spec, on, run) => {
          await verbs.converge({ ...spec, mode: undefined }, on, run)
          if (spec.mode !== undefined)
            await on.files.setAttributes(run.state.at, { mode: spec.mode, folder: run.state.folder })
        },
      },
    },
    /killed .*0640.*0600|killed .*0600.*0640/s,
  ],
  [
    'forgets what was there once it has changed it',
    'adoption survives kills',
    {
      interpret: {
        keep: async (spec, on, state) => {
          const kept = await verbs.keep(spec, on, state)
          await on.files.remove(state.at)
          return kept
        },
      },
    },
    /killed/,
  ],
  [
    'drops the name of a second file before the file',
    'destroy survives kills',
    {
      interpret: {
        converge: async (spec, on, run) => {
          await on.files.writeFile('/srv/note.data', new Uint8Array(), { folder: '/srv' })
          await verbs.converge(spec, on, run)
        },
        remove: async (applied, on) => {
          const there = (await on.files.inspect('/srv/note')).type !== 'absent'
          await verbs.remove(applied, on)
          if (there) await on.files.remove('/srv/note.data')
        },
      },
    },
    /killed .*\/srv\/note\.data: absent →/s,
  ],
]

describe('a kind is found out that', () => {
  test.each(defects)('%s: %s', async (_, rule, defect, says) => {
    const found = await broken(kitOf(defect), rule)
    expect([...found.keys()]).toEqual([rule])
    expect(found.get(rule)).toMatch(says)
  })
})

describe('a kit is refused that', () => {
  const complaint = async (kit: Partial<Conformance<SimulatedTopology>>) =>
    (await broken(kitOf({ kit }), 'every field is tampered with or exempt')).get(
      'every field is tampered with or exempt',
    )

  test('says nothing about a field', async () => {
    expect(await complaint({ cases: [] })).toMatch(/nothing shows that a change of the thing itself/)
    expect(
      await complaint({ cases: [], exempt: { '': 'because', name: 'because', text: 'because' } }),
    ).toMatch(/a change of mode/)
  })
  test('exempts what it tampers with', async () => {
    expect(await complaint({ exempt: { mode: 'because' } })).toBe('mode has a tamper and an exemption')
  })
  test('exempts without a reason', async () => {
    expect(await complaint({ cases: [], exempt: { '': '', name: '', text: '', mode: ' ' } })).toMatch(
      /gives no reason/,
    )
  })
  test('speaks of a field that is not there', async () => {
    expect(await complaint({ exempt: { size: 'because' } })).toBe(
      'size is no field of the schema; it has: mode, name, text',
    )
  })
})

function firstLine(state: Seen): Seen {
  return { ...state, text: state.text?.split('\n')[0] }
}
