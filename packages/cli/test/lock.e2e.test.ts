/** Two at once on one host: the second waits, and when it has waited in vain says for whom. */
import { expect, test } from 'vitest'
import { makeProject } from './project.ts'

test('who finds the ledger locked waits 10 s, then names the holder; readers need not wait', async () => {
  using project = makeProject()
  project.scores(
    `ShellJob({ name: 'long', script: "printf '%s has begun\\\\n' it; while ! [ -e " + root + ".go ]; do sleep 0.02; done" })`,
  )
  const first = project.start('apply --yes --no-check')
  await first.shows('it has begun')
  expect(await project.run('plan --no-check')).toMatchObject({ status: 2 })
  const second = await project.run('apply --yes --no-check')
  expect(second).toMatchObject({ status: 69, out: '' })
  expect(second.err).toMatch(/harmony apply, pid \d+/)
  project.write({ '../root.go': '' })
  expect(await first.ended).toMatchObject({ status: 0 })
})

test('the second goes on as soon as the first is done', async () => {
  using project = makeProject()
  project.scores(
    `ShellJob({ name: 'long', script: "printf '%s has begun\\\\n' it; while ! [ -e " + root + ".go ]; do sleep 0.02; done" })`,
  )
  const first = project.start('apply --yes --no-check')
  await first.shows('it has begun')
  const second = project.start('apply --yes --no-check')
  await second.shows('pid')
  project.write({ '../root.go': '' })
  expect(await first.ended).toMatchObject({ status: 0 })
  expect(await second.ended).toMatchObject({ status: 0, out: 'Nothing to do: 1 Score is as wanted.\n' })
})
