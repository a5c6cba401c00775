/** From an empty folder to one that is as wanted, and back, with the real command on real files. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { makeProject } from './project.ts'

const site = `Directory({ path: root }), File({ path: root + '/site.json', content: '{"port":8080}\\n', mode: '0640' })`

test('plan, apply, tamper, drift, repair, destroy', async () => {
  using project = makeProject()
  project.scores(site)
  const plan = await project.run('plan')
  expect(plan).toMatchObject({ status: 2, err: '' })
  expect(plan.out).toContain('Plan: 2 to create, 0 to update, 0 to remove, 0 unchanged.')
  expect(existsSync(project.root)).toBe(false)
  expect(readdirSync(project.folder)).not.toContain('harmony.lock')

  const apply = await project.run('apply --yes')
  expect(apply).toMatchObject({ status: 0, err: '' })
  expect(apply.out).toContain('Wrote harmony.lock')
  expect(apply.out).toContain('Done: 2 done, 0 unchanged')
  expect(readFileSync(join(project.root, 'site.json'), 'utf8')).toBe('{"port":8080}\n')
  expect(statSync(join(project.root, 'site.json')).mode & 0o777).toBe(0o640)

  expect(await project.run('plan')).toMatchObject({ status: 0 })
  expect(await project.run('apply')).toMatchObject({
    status: 0,
    out: 'Nothing to do: 2 Scores are as wanted.\n',
  })
  expect(await project.run('drift')).toMatchObject({ status: 0, out: 'No drift: 2 as last applied.\n' })

  writeFileSync(join(project.root, 'site.json'), '{"port":80}\n')
  chmodSync(join(project.root, 'site.json'), 0o666)
  const drift = await project.run('drift')
  expect(drift.status).toBe(2)
  expect(drift.out).toContain('-{"port":8080}\n')
  expect(drift.out).toContain('+{"port":80}\n')
  expect(drift.out).toContain("mode: '0640' → '0666'")
  expect((await project.run('show')).out).toBe(`Directory:${project.root}\nFile:${project.root}/site.json\n`)

  expect(await project.run('apply --yes')).toMatchObject({ status: 0 })
  expect(readFileSync(join(project.root, 'site.json'), 'utf8')).toBe('{"port":8080}\n')
  expect(await project.run('destroy --yes')).toMatchObject({ status: 0, err: '' })
  // Neither what was applied, nor a ledger, nor a temporary file.
  expect(readdirSync(project.sandbox.folder).filter((name) => name !== '.cache')).toEqual(['project'])
  expect(await project.run('destroy --yes')).toMatchObject({ status: 0 })
})

test('a saved plan is carried out later, and only if nothing has moved since', async () => {
  using project = makeProject()
  project.scores(site)
  expect(await project.run('plan --out a.plan')).toMatchObject({ status: 2, err: '' })
  expect(statSync(join(project.folder, 'a.plan')).mode & 0o777).toBe(0o600)
  mkdirSync(project.root)
  writeFileSync(join(project.root, 'site.json'), 'somebody was here')
  const stale = await project.run('apply --plan a.plan --yes')
  expect(stale.status).toBe(1)
  expect(readFileSync(join(project.root, 'site.json'), 'utf8')).toBe('somebody was here')

  writeFileSync(join(project.root, 'site.json'), '{"port":8080}\n')
  chmodSync(join(project.root, 'site.json'), 0o640)
  await project.run('plan --out b.plan')
  expect(await project.run('apply --plan b.plan --yes')).toMatchObject({ status: 0 })
  expect(await project.run('plan')).toMatchObject({ status: 0 })

  project.scores(`${site}, File({ path: root + '/more', content: 'more' })`)
  await project.run('plan --out c.plan')
  project.scores(site)
  expect((await project.run('apply --plan c.plan --yes')).status).not.toBe(0)
  expect(existsSync(join(project.root, 'more'))).toBe(false)
})

test.each([
  ['--target File:/x', 64],
  ['--adopt', 64],
])('a saved plan takes no %s', async (option, status) => {
  using project = makeProject()
  project.scores(site)
  await project.run('plan --out a.plan')
  expect(await project.run(`apply --plan a.plan --yes ${option}`)).toMatchObject({ status })
})

test('a saved plan that was tampered with, or is of another project, is refused', async () => {
  using project = makeProject()
  project.scores(site)
  await project.run('plan --out a.plan')
  const file = join(project.folder, 'a.plan')
  writeFileSync(file, readFileSync(file, 'utf8').replace('8080', '9090'))
  expect(await project.run('apply --plan a.plan --yes')).toMatchObject({
    status: 65,
    err: expect.stringContaining('has been changed'),
  })
  await project.run('plan --out a.plan')
  project.source(
    `export default defineProject({ name: 'other', deployments: [deploy(new LocalTopology(), [])] })`,
  )
  expect(await project.run('apply --plan a.plan --yes')).toMatchObject({
    status: 65,
    err: expect.stringContaining('of the project site'),
  })
})

test('without a terminal and without --yes nothing happens', async () => {
  using project = makeProject()
  project.scores(site)
  const result = await project.run('apply')
  expect(result).toMatchObject({ status: 64, err: expect.stringContaining('--yes') })
  expect(existsSync(project.root)).toBe(false)
  expect(readdirSync(project.folder)).not.toContain('harmony.lock')
})

test('what exists and is not ours is a conflict; --adopt takes it over and removal puts it back', async () => {
  using project = makeProject()
  project.scores(`File({ path: root + '/motd', content: 'ours\\n' })`)
  mkdirSync(project.root)
  writeFileSync(join(project.root, 'motd'), 'theirs\n')
  const refused = await project.run('apply --yes')
  expect(refused.status).toBe(65)
  expect(refused.out).toContain('Nothing was changed')
  expect(readFileSync(join(project.root, 'motd'), 'utf8')).toBe('theirs\n')
  expect(await project.run('apply --yes --adopt')).toMatchObject({ status: 0 })
  expect(readFileSync(join(project.root, 'motd'), 'utf8')).toBe('ours\n')
  expect(await project.run('destroy --yes')).toMatchObject({ status: 0 })
  expect(readFileSync(join(project.root, 'motd'), 'utf8')).toBe('theirs\n')
})

test('what is there as wanted is taken over without a question, and said', async () => {
  using project = makeProject()
  project.scores(`Directory({ path: root }), File({ path: root + '/a', content: 'a' })`)
  mkdirSync(project.root)
  writeFileSync(join(project.root, 'a'), 'a')
  expect(await project.run('plan')).toMatchObject({ status: 0, out: expect.stringContaining('taken over') })
  const result = await project.run('apply')
  expect(result).toMatchObject({ status: 0, err: '' })
  expect(result.out).toContain('taken over')
  expect(result.out).toContain('The ledger was brought up to date; 2 Scores are as wanted.')
  expect((await project.run('show')).out).toContain(`File:${project.root}/a`)
})

test('a failure blocks only what depends on it; status 1, and the next apply completes', async () => {
  using project = makeProject()
  project.scores(`Directory({ path: root }), File({ path: root + '/a', content: 'a' }),
    File({ path: root + '/none/b', content: 'b' })`)
  const failed = await project.run('apply --yes')
  expect(failed.status).toBe(1)
  expect(readFileSync(join(project.root, 'a'), 'utf8')).toBe('a')
  mkdirSync(join(project.root, 'none'))
  expect(await project.run('apply --yes')).toMatchObject({ status: 0 })
})

test('a plan shows text as a coloured diff, secrets masked and escape sequences harmless', async () => {
  using project = makeProject()
  project.scores(
    `File({ path: root + '/a', content: 'one\\n\\u001b[31mtwo\\n' }), File({ path: root + '/s', content: secret('s') })`,
  )
  mkdirSync(project.root)
  const env = { HARMONY_SECRET_S: 'hunter2' }
  expect(await project.run('apply --yes', env)).toMatchObject({ status: 0 })
  writeFileSync(join(project.root, 'a'), 'one\n\x1b]0;owned\x07\n')
  writeFileSync(join(project.root, 's'), 'hunter3')
  const plain = await project.run('plan', env)
  expect(plain.out).toContain('-␛]0;owned␇\n')
  expect(plain.out).toContain('+␛[31mtwo\n')
  for (const text of [plain.out, plain.err, JSON.stringify((await project.run('plan --json', env)).events)])
    expect(text).not.toMatch(/hunter|(?!\n)\p{Cc}/u)
  const coloured = await project.run('plan', { ...env, NO_COLOR: '', FORCE_COLOR: '1' })
  expect(coloured.out).toContain('\x1b[31m-␛]0;owned␇\x1b[39m')
  expect(
    (await project.run('plan --no-color', { ...env, NO_COLOR: '', FORCE_COLOR: '1' })).out,
  ).not.toContain('\x1b')
})

test('two topologies that share a ledger are conducted one after another, with one question', async () => {
  using project = makeProject()
  project.source(`const a = new LocalTopology({ name: 'a' })
const b = new LocalTopology({ name: 'b' })
export default defineProject({ name: 'site', deployments: [
  deploy(a, [Directory({ path: root })]), deploy(b, [Directory({ path: root + '-b' })]), deploy(a, [File({ path: root + '/x', content: 'x' })])] })`)
  const result = await project.run('apply --yes')
  expect(result).toMatchObject({ status: 0, err: '' })
  expect(result.out).toContain('Plan: 3 to create')
  expect(await project.run('plan')).toMatchObject({ status: 0 })
  expect(await project.run('destroy --yes')).toMatchObject({ status: 0, err: '' })
  expect(readdirSync(project.sandbox.folder).filter((name) => name !== '.cache')).toEqual(['project'])
})

test('a host that cannot be reached fails alone', async () => {
  using project = makeProject()
  const deployments = (here: string) => `import { HarmonyError } from '@harmony-iac/core'
class Far extends SimulatedTopology { async open() { throw new HarmonyError('unreachable', 'no route to host') } }
export default defineProject({ name: 'site', deployments: [deploy(new Far({ name: 'far' }), [Directory({ path: '/srv/x' })])${here}] })`
  project.source(deployments(`, deploy(new LocalTopology(), [Directory({ path: root })])`))
  const some = await project.run('apply --yes')
  expect(some).toMatchObject({ status: 1, err: expect.stringContaining('no route to host') })
  expect(existsSync(project.root)).toBe(true)
  expect(await project.run('plan')).toMatchObject({ status: 1 })
  project.source(deployments(''))
  expect(await project.run('plan')).toMatchObject({ status: 69 })
})

test('every line of --json is an event as published, and the last is the summary', async () => {
  using project = makeProject()
  project.scores(
    `${site}, ShellJob({ name: 'hello', argv: ['/bin/echo', 'hello'] }), File({ path: root + '/none/x', content: 'x' })`,
  )
  const published = JSON.parse((await project.run('schema event')).out)
  const seen = new Set<unknown>()
  for (const [line, status] of [
    ['plan --json', 2],
    ['apply --json', 64],
    ['apply --json --yes', 1],
    ['drift --json', 2],
    ['check --json', 0],
    ['plan --json --bogus', 64],
    ['destroy --json --yes', 0],
  ] as const) {
    if (line.startsWith('drift')) writeFileSync(join(project.root, 'site.json'), 'somebody was here')
    const result = await project.run(line)
    expect([line, result.status]).toEqual([line, status])
    for (const event of result.events) {
      seen.add(event.type)
      const schema = published[String(event.type)]
      expect(schema, `a schema of ${event.type}`).toBeDefined()
      const parsed = z.fromJSONSchema(schema).safeParse(event)
      expect(parsed.error?.issues, JSON.stringify(event)).toBeUndefined()
    }
    expect(result.events.at(-1)).toMatchObject({ type: 'summary', command: line.split(' ')[0] })
    expect(result.events.filter(({ type }) => type === 'summary')).toHaveLength(1)
  }
  for (const type of [
    'compiled',
    'step',
    'started',
    'finished',
    'output',
    'audit',
    'error',
    'drift',
    'summary',
  ])
    expect(seen).toContain(type)
})

test('the summaries count as documented', async () => {
  using project = makeProject()
  project.scores(site)
  expect((await project.run('plan --json')).events.at(-1)).toEqual({
    type: 'summary',
    time: expect.any(String),
    command: 'plan',
    create: 2,
    update: 0,
    remove: 0,
    unchanged: 0,
  })
  expect((await project.run('apply --json --yes')).events.at(-1)).toEqual({
    type: 'summary',
    time: expect.any(String),
    command: 'apply',
    outcomes: { noop: 0, success: 2, failure: 0, blocked: 0 },
    changed: 2,
    durationMs: expect.any(Number),
  })
  expect((await project.run('apply --json')).events.at(-1)).toMatchObject({
    outcomes: { noop: 2, success: 0 },
    changed: 0,
  })
})

test('documents: graph, show, schema', async () => {
  using project = makeProject()
  project.scores(site)
  await project.run('apply --yes')
  expect((await project.run('graph --format dot')).out).toMatch(/^digraph "site" \{/)
  expect((await project.run('graph')).out).toMatch(/^flowchart LR\n/)
  expect(JSON.parse((await project.run('graph --json')).out)).toMatchObject({
    project: 'site',
    topologies: [
      {
        topology: 'local',
        scores: [
          { kind: 'Directory', after: [] },
          { kind: 'File', after: [`Directory:${project.root}`] },
        ],
      },
    ],
  })
  const one = JSON.parse((await project.run(`show File:${project.root}/site.json`)).out)
  expect(one).toMatchObject({ kind: 'File', project: 'site', spec: { mode: '0640' } })
  expect(JSON.parse((await project.run('show --json')).out)).toHaveLength(2)
  expect(await project.run('show File:/nowhere')).toMatchObject({ status: 64 })
  expect(JSON.parse((await project.run('schema File')).out)).toMatchObject({
    title: 'File',
    additionalProperties: false,
  })
  expect(JSON.parse((await project.run('schema wire bundle')).out)).toMatchObject({
    properties: { harmony: { const: 1 } },
    additionalProperties: false,
  })
  expect(await project.run('schema wire toString')).toMatchObject({ status: 64 })
  expect(Object.keys(JSON.parse((await project.run('schema')).out).kinds)).toEqual([
    'AuthorizedKey',
    'Container',
    'ContainerImage',
    'ContainerNetwork',
    'ContainerVolume',
    'Directory',
    'File',
    'Group',
    'Hostname',
    'Package',
    'ShellJob',
    'StaticSite',
    'Symlink',
    'Sysctl',
    'SystemdService',
    'SystemdTimer',
    'Timezone',
    'User',
  ])
})

test('secrets and assets are found beside the project, wherever the command is called from', async () => {
  using project = makeProject()
  project.source(`import { asset } from '@harmony-iac/core'
export default defineProject({ name: 'site', deployments: [deploy(new LocalTopology(), [
  Directory({ path: root }), File({ path: root + '/big', content: asset('./big.bin') }), File({ path: root + '/s', content: secret('key') })])] })`)
  project.write({ 'big.bin': 'x'.repeat(300_000), 'secrets/key': 'hunter2\n' })
  const away = { PWD: '/' }
  const result = await project.run(`apply --yes -p ${project.folder}`, away)
  expect(result.status).toBe(0)
  expect(result.err).toContain('can be read by everybody')
  expect(statSync(join(project.root, 'big')).size).toBe(300_000)
  expect(readFileSync(join(project.root, 's'), 'utf8')).toBe('hunter2')
  expect(readFileSync(join(project.sandbox.folder, 'state/ledger.journal'), 'utf8')).not.toContain('hunter2')
})
