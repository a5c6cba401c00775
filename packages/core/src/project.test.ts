import { expect, test } from 'vitest'
import * as z from 'zod'
import { capability } from './capability.ts'
import { defineComposite } from './composite.ts'
import { defineProject, deploy, isProject } from './project.ts'
import { defineScore } from './score.ts'

const Balancing = capability<{ add(): void }>()('loadBalancer')
const interpret = {
  observe: async () => ({}),
  compare: () => [],
  converge: async () => undefined,
  remove: async () => undefined,
}
const Thing = defineScore({
  kind: 'Thing',
  version: 1,
  needs: [],
  spec: z.strictObject({ name: z.string() }),
  identity: (spec) => spec.name,
  interpret,
})
const Balanced = defineScore({
  kind: 'Balanced',
  version: 1,
  needs: [Balancing],
  spec: z.strictObject({ name: z.string() }),
  identity: (spec) => spec.name,
  interpret,
})
const Group = defineComposite({
  kind: 'Group',
  version: 1,
  needs: [Balancing],
  spec: z.strictObject({ name: z.string() }),
  identity: (spec) => spec.name,
  compose: ({ name }) => [Balanced({ name })],
})

class Pi {
  readonly name = 'kiosk'
}
const pi = new Pi()
const problems = (make: () => unknown): readonly string[] => {
  try {
    make()
    return []
  } catch (error) {
    return (error as { issues: { address?: string; path: unknown[]; message: string }[] }).issues.map(
      (issue) => `${issue.address ?? issue.path.join('.')}: ${issue.message}`,
    )
  }
}
const project =
  (scores: unknown, to: unknown = pi) =>
  () =>
    defineProject({ name: 'p', deployments: [deploy(to as never, scores as never)] })

test('lists nest, and false and undefined are left out', () => {
  const made = deploy(pi, [Thing({ name: 'a' }), [[Thing({ name: 'b' })], false], undefined])
  expect(made.scores.map((score) => score.id)).toEqual(['Thing:a', 'Thing:b'])
})

test('what the compiler could not see is refused at run time, all at once', () => {
  expect(
    problems(
      project([Balanced({ name: 'a' }), [Thing({ nam: 'b' } as never)], 'x', Thing, Group({ name: 'c' })]),
    ),
  ).toEqual([
    '0.scores.2: is not a Score but string'.replace('0.', 'deployments.0.'),
    'deployments.0.scores.3: is not a Score but a function; was it called?',
    'Balanced:a: needs loadBalancer, which the Pi kiosk does not offer',
    expect.stringMatching(
      /^Thing:\?: invalid input: expected string, received undefined \(.*project\.test\.ts:\d+:\d+\)$/,
    ),
    expect.stringMatching(/^Thing:\?: unknown field \(/),
    'Balanced:c: needs loadBalancer, which the Pi kiosk does not offer',
  ])
})

test.each([
  ['no list', { name: 'x' }, undefined, 'deployments.0.scores: is not a list of Scores but object'],
  [
    'no topology',
    [],
    undefined,
    'deployments.0: deploy(topology, scores): the first argument is not a topology (it has no name)',
  ],
])('refuses %s', (_, scores, to, message) => {
  expect(problems(project(scores, to ?? (message.includes('topology') ? 5 : pi)))).toEqual([message])
})

test.each([
  [{ name: '', deployments: [] }, 'name: must be'],
  [{ name: 'a b', deployments: [] }, 'name: must be'],
  [{ name: 'p', deployments: {} }, 'deployments: must be a list'],
  [{ name: 'p', deployments: [5] }, 'deployments.0: must be what deploy'],
  [{ name: 'p', deployments: [], extra: 1 }, 'extra: unknown field'],
  [undefined, ': defineProject takes'],
])('refuses %j', (given, message) => {
  expect(problems(() => defineProject(given as never))[0]).toContain(message)
})

test('two topologies of one name are refused, one topology in two deployments is fine', () => {
  expect(
    problems(() => defineProject({ name: 'p', deployments: [deploy(pi, []), deploy(new Pi(), [])] })),
  ).toEqual(['deployments.1: two topologies have the name kiosk; give one of them another name'])
  expect(isProject(defineProject({ name: 'p', deployments: [deploy(pi, []), deploy(pi, [])] }))).toBe(true)
})
