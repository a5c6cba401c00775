import { asset, secret } from '@harmony-iac/core'
import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { Container, ContainerImage, type ContainerImageSpec } from './index.ts'

const name = 'lan/app:1'

function machine(): SimulatedTopology {
  const here = new SimulatedTopology()
  here.containers.publish(name, 'app one')
  here.containers.publish('lan/secret:1', 'secret app', {
    login: { username: 'kiosk', password: 'the-value-of-the-secret-registry' },
  })
  return here
}

describe('the contract', () => {
  const checks = scoreConformance({
    factory: ContainerImage,
    topology: machine,
    cases: [
      {
        name: 'from a registry',
        scores: () => [ContainerImage({ name, pull: 'always' })],
        occupied: ({ containers }) => containers.addImage(name, 'an older one'),
        tampers: {
          '': ({ containers }) => containers.deleteImage(name),
          pull: ({ containers }) => containers.addImage(name, 'an older one'),
        },
      },
      {
        name: 'from a registry that asks who it is',
        scores: () => [
          ContainerImage({
            name: 'lan/secret:1',
            login: { username: 'kiosk', password: secret('registry') },
          }),
        ],
      },
      {
        name: 'from an archive, with a container',
        assets: { 'app.tar': `${name} app one\n`, 'next.tar': `${name} app two\n` },
        scores: () => [
          ContainerImage({ name, archive: asset('app.tar') }),
          Container({ name: 'web', image: name }),
        ],
        tampers: { archive: ({ containers }) => containers.addImage(name, 'another one') },
      },
      {
        name: 'from an archive',
        assets: { 'app.tar': `${name} app one\n`, 'next.tar': `${name} app two\n` },
        scores: () => [ContainerImage({ name, archive: asset('app.tar') })],
        updated: () => [ContainerImage({ name, archive: asset('next.tar') })],
        occupied: ({ containers }) => containers.addImage(name, 'an older one'),
      },
    ],
    exempt: {
      name: 'is the identity: under another name it is another image',
      'login.username': 'is for the registry, and no property of what is there',
      'login.password': 'is for the registry, and no property of what is there',
    },
  })
  for (const check of checks) test(check.name, check.run)
})

test('a login that is not accepted is a failure, and the password is not shown', async () => {
  const login = { username: 'kiosk', password: secret('wrong') }
  const project = conduct(machine(), [ContainerImage({ name: 'lan/secret:1', login })])
  const { results, events } = await project.apply()
  expect(results[0]?.error).toMatchObject({ code: 'refused' })
  expect(JSON.stringify([results, events])).not.toContain('the-value-of-the-secret')
})

test('an archive with one image of another name gives that image the name', async () => {
  const here = machine()
  const project = conduct(here, [ContainerImage({ name, archive: asset('a.tar') })], {
    assets: { 'a.tar': 'built:latest app one\n' },
  })
  await project.apply()
  expect((await project.apply()).changed).toBe(0)
})

test('an archive without that image is refused, and says what is in it', async () => {
  const { results } = await conduct(machine(), [ContainerImage({ name, archive: asset('a.tar') })], {
    assets: { 'a.tar': 'a:1 one\nb:1 two\n' },
  }).apply()
  expect(results[0]?.error).toMatchObject({ code: 'refused', hint: 'it has a:1, b:1' })
})

test('one that a container of somebody else stands on is not removed', async () => {
  const here = machine()
  const project = conduct(here, [ContainerImage({ name })])
  await project.apply()
  here.containers.run('theirs', { image: name })
  expect((await project.destroy()).results[0]?.error).toMatchObject({ code: 'refused' })
})

test.each<[spec: ContainerImageSpec, issue: string]>([
  [{ name: 'app' }, 'name: does not say which one: write app:TAG, or app@sha256:…'],
  [{ name: `sha256:${'0'.repeat(64)}` }, 'name: is an id, which no registry knows; give its name'],
  [
    { name: `app@sha256:${'0'.repeat(64)}`, pull: 'always' },
    'pull: changes nothing: a digest is one image for ever',
  ],
  [{ name, pull: 'always', archive: asset('a.tar') }, 'pull: has no effect with archive'],
])('%j is refused', (spec, issue) => {
  const { issues } = ContainerImage(spec)['~score']
  expect(issues.map((each) => `${each.path.join('.')}: ${each.message}`)).toEqual([issue])
})
