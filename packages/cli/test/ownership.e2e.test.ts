/** What a project has applied stays in its sight, and nobody else's comes into it. */
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeProject, type Project } from './project.ts'

const two = `Directory({ path: root }), File({ path: root + '/a', content: 'a' })`
const empty = `export default defineProject({ name: 'site', deployments: [] })`
const lock = (project: Project, name = 'harmony.lock') => join(project.folder, name)

async function applied(list = two): Promise<Project> {
  const project = makeProject()
  project.scores(list)
  expect(await project.run('apply --yes --no-check')).toMatchObject({ status: 0 })
  return project
}

test('harmony.lock names its project; under another name it is refused, with both ways out', async () => {
  using project = await applied()
  expect(JSON.parse(readFileSync(lock(project), 'utf8'))).toMatchObject({ harmony: 1, project: 'site' })
  project.source(empty.replace("'site'", "'copy'"))
  for (const line of ['plan --no-check', 'apply --yes --no-check', 'destroy --yes', 'show', 'drift'])
    expect(await project.run(line), line).toMatchObject({
      status: 65,
      out: '',
      err: expect.stringMatching(/belongs to the project site[\s\S]*for a copy delete it[\s\S]*for a rename/),
    })
  expect(existsSync(join(project.root, 'a'))).toBe(true)
})

test('two project files in one folder do not share a lock, and do not remove what the other made', async () => {
  using project = await applied()
  cpSync(join(project.folder, 'harmony.ts'), join(project.folder, 'a.ts'))
  project.source(
    `export default defineProject({ name: 'b', deployments: [deploy(new LocalTopology(), [Directory({ path: root + '-b' })])] })`,
  )
  renameSync(join(project.folder, 'harmony.ts'), join(project.folder, 'b.ts'))
  const result = await project.run('apply --yes --no-check -p b.ts')
  expect(result).toMatchObject({ status: 0, out: expect.stringContaining('Wrote b.harmony.lock') })
  expect(await project.run('destroy --yes -p b.ts')).toMatchObject({ status: 0 })
  expect(existsSync(join(project.root, 'a'))).toBe(true)
})

test('without its harmony.lock a project does not take its things for nothing, and says how to repair it', async () => {
  using project = await applied()
  const { lineage } = JSON.parse(readFileSync(lock(project), 'utf8'))
  rmSync(lock(project))
  const repair = `{"harmony":1,"lineage":"${lineage}","project":"site"}`
  for (const line of ['plan --no-check', 'apply --yes --no-check', 'destroy --yes', 'show', 'drift'])
    expect(await project.run(line), line).toMatchObject({
      status: 65,
      out: '',
      err: expect.stringContaining(repair),
    })
  project.write({ 'harmony.lock': repair })
  expect(await project.run('drift')).toMatchObject({ status: 0 })
  project.source(empty)
  rmSync(lock(project))
  expect(await project.run('plan --no-check')).toMatchObject({ status: 65 })
})

test('what is on a topology that left the project stops an apply, is shown, and can be destroyed', async () => {
  using project = await applied()
  project.source(empty)
  for (const line of ['plan --no-check', 'apply --yes --no-check'])
    expect(await project.run(line)).toMatchObject({
      status: 65,
      err: expect.stringContaining(
        '2 things of this project were applied to the topology local, which is no longer in the project',
      ),
    })
  expect((await project.run('show')).out).toContain(`File:${project.root}/a`)
  expect(await project.run('drift')).toMatchObject({ status: 0, out: 'No drift: 2 as last applied.\n' })
  expect(await project.run('destroy --yes')).toMatchObject({ status: 0, err: '' })
  expect(existsSync(project.root)).toBe(false)
  expect(await project.run('plan --no-check')).toMatchObject({ status: 0 })
})

test('a topology that was renamed does not leave its things behind', async () => {
  using project = await applied()
  project.source(
    `export default defineProject({ name: 'site', deployments: [deploy(new LocalTopology({ name: 'web' }), [Directory({ path: root + '-b' })])] })`,
  )
  expect(await project.run('apply --yes --no-check')).toMatchObject({
    status: 65,
    err: expect.stringContaining('put the topology back'),
  })
  expect(await project.run('destroy --yes')).toMatchObject({ status: 0, err: '' })
  expect(existsSync(project.root)).toBe(false)
})

test('outside of a project the whole machine is looked at, and that is said first', async () => {
  using project = await applied()
  rmSync(join(project.folder, 'harmony.ts'))
  const words = 'no project here: looking at everything that Harmony put on this machine'
  expect(await project.run('drift')).toMatchObject({ status: 0, err: `${words}\n` })
  expect(await project.run('show')).toMatchObject({ status: 0, err: `${words}\n` })
  expect((await project.run('drift --json')).events[0]).toMatchObject({ type: 'note', message: words })
  expect(await project.run('drift localhost')).toMatchObject({ status: 0, err: '' })
})

test('options may stand before the command; a saved plan that somebody has carried out by hand says so', async () => {
  using project = makeProject()
  project.scores(two)
  expect(await project.run('--no-check -p harmony.ts plan --out a.plan')).toMatchObject({ status: 2 })
  project.write({ '../root/a': 'a' })
  chmodSync(join(project.root, 'a'), 0o644)
  const { status, out } = await project.run('apply --plan a.plan --yes --no-check')
  expect(status).toBe(0)
  expect(out).toContain(`= File:${project.root}/a is as wanted by now`)
  expect(out).toContain('Nothing was left to do: all of it is as wanted by now.')
})
