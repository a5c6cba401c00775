/** Containers on a real engine: what is fetched, what is refused, what is put back, and what an engine that goes away leaves. */

import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { secret } from '@harmony-iac/core'
import type { ContainerRuntime } from '@harmony-iac/core/capabilities'
import { type ConductOptions, conduct, MemoryHome } from '@harmony-iac/core/testing'
import { Container, ContainerImage, ContainerNetwork, type ContainerSpec } from '@harmony-iac/scores'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { busyboxRoot, containerImages, importBusybox } from '../../../../../scripts/testing/busybox-image.ts'
import { engine, engineSocket } from '../../../../../scripts/testing/engine.ts'
import { linuxHosts, startLinuxHost } from '../../../../../scripts/testing/linux-host.ts'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { clearEngine } from '../../../test/engine-stage.ts'
import { type PrivateEngine, privateEngines, startPrivateEngine } from '../../../test/private-engine.ts'
import { type Registry, startRegistry } from '../../../test/registry.ts'
import { localHost } from '../../hosts/local.ts'
import { ssh } from '../../hosts/ssh/ssh.ts'
import { PiTopology } from '../../pi.ts'
import { type LinuxContainers, linuxContainers } from './containers.ts'

const prefix = `real${process.pid}`
const image = `${prefix}-app:1`
const port = 30_000 + (process.pid % 10_000)
const ports = [{ hostIp: '127.0.0.1', host: port, container: 80 }]
const httpd = ['httpd', '-f', '-p', '80', '-h', '/www']
const health = { command: 'wget -q -O /dev/null http://127.0.0.1/', intervalMs: 200, retries: 10 }

/** Scores on an engine, each pass as a process of its own; the ledger is kept. */
function on(containers: ContainerRuntime) {
  const home = new MemoryHome()
  const topology = { name: 'engine', home, containers }
  return (scores: Parameters<typeof conduct<typeof topology>>[1], options?: ConductOptions) =>
    conduct(topology, scores, options)
}

describeWith(containerImages, 'containers on a real engine', () => {
  let containers: LinuxContainers
  let registry: Registry
  const web = (spec: Partial<ContainerSpec> = {}) =>
    Container({ name: `${prefix}-web`, image, stopSignal: 'SIGKILL', stableForMs: 200, ...spec })

  beforeAll(async () => {
    await importBusybox(image)
    containers = linuxContainers(localHost(), { socket: await engineSocket() })
    registry = await startRegistry()
  })
  afterAll(async () => {
    await containers.close()
    await registry[Symbol.asyncDispose]()
    await clearEngine(prefix)
    await (await engine()).getImage(image).remove({ force: true })
  })

  /** A fresh ledger; what the test makes is removed. */
  function fresh() {
    onTestFinished(() => clearEngine(prefix))
    return on(containers)
  }
  const page = async () => await (await fetch(`http://127.0.0.1:${port}/`)).text()

  describe('images', () => {
    /** A name in the registry that is used by one test only. */
    function named(name: string): string {
      const reference = `${registry.address}/${name}`
      onTestFinished(async () => {
        await clearEngine(prefix)
        const docker = await engine()
        for (const { RepoTags, RepoDigests, Id } of await docker.listImages())
          if ([...(RepoTags ?? []), ...(RepoDigests ?? [])].some((each) => each.startsWith(reference)))
            await docker.getImage(Id).remove({ force: true })
      })
      return reference
    }

    test('are fetched with progress, once, and replaced when the tag has moved on, if that is asked for', async () => {
      const project = fresh()
      const reference = `${named('site')}:1`
      await registry.publish('site', '1', 'first')
      const scores = [web({ image: reference, pull: 'always', command: httpd, ports, health })]
      const first = await project(scores).apply()
      expect(first.outcomes).toMatchObject({ success: 1 })
      expect(first.events.some((event) => event.type === 'progress' && /fetching/.test(event.message))).toBe(
        true,
      )
      expect(await page()).toBe('first')
      const served = registry.layersServed
      expect((await project(scores).apply()).changed).toBe(0)
      expect(registry.layersServed).toBe(served)
      await registry.publish('site', '1', 'second')
      expect((await project(scores).plan()).steps[0]).toMatchObject({ action: 'replace' })
      await project(scores).apply()
      expect(await page()).toBe('second')
      expect((await project(scores).apply()).changed).toBe(0)
    })

    test('by digest are that content for ever', async () => {
      const project = fresh()
      const reference = named('pinned')
      const digest = await registry.publish('pinned', '1', 'first')
      await registry.publish('pinned', '1', 'second')
      const scores = [web({ image: `${reference}:1@${digest}`, command: httpd, ports, health })]
      await project(scores).apply()
      expect(await page()).toBe('first')
      expect((await project(scores).apply()).changed).toBe(0)
    })

    test('of an own Score are known to the container when the plan is made, and go with the Score', async () => {
      const project = fresh()
      const reference = `${named('owned')}:1`
      await registry.publish('owned', '1', 'first')
      const app = ContainerImage({ name: reference, pull: 'always' })
      const scores = [app, web({ image: app.out.id })]
      await project(scores).apply()
      await registry.publish('owned', '1', 'second')
      const { plan, outcomes } = await project(scores).apply()
      expect(plan.steps.map(({ action }) => action)).toEqual(['update', 'deferred'])
      expect(outcomes).toMatchObject({ failure: 0, success: 2 })
      await project(scores).destroy()
      expect(await containers.image(reference)).toBeUndefined()
    })

    test('that are nowhere are refused, and say so', async () => {
      const reference = `${named('nowhere')}:1`
      const { results } = await fresh()([web({ image: reference })]).apply()
      expect(results[0]?.error).toMatchObject({ code: 'refused' })
      expect(results[0]?.error?.message).toContain('the registry has no such image')
      expect(results[0]?.error?.message).toContain(reference)
    })

    test('of a registry that does not answer are unreachable', async () => {
      const { results } = await fresh()([web({ image: '127.0.0.1:1/site:1' })]).apply()
      expect(results[0]?.error).toMatchObject({ code: 'unreachable' })
      expect(results[0]?.error?.message).toContain('the registry cannot be reached')
    })

    test('are fetched with a login, and refused without', async () => {
      await using closed = await startRegistry()
      await closed.publish('closed', '1', 'first')
      closed.demandLogin('kiosk', 'open-sesame')
      const name = `${closed.address}/closed:1`
      const project = fresh()
      const without = await project([ContainerImage({ name })]).apply()
      expect(without.results[0]?.error?.message).toContain('does not accept the login')
      const login = { username: 'kiosk', password: secret('registry') }
      const secrets = { registry: 'open-sesame' }
      const { outcomes, results } = await project([ContainerImage({ name, login })], { secrets }).apply()
      expect(results[0]?.error).toBeUndefined()
      expect(outcomes).toMatchObject({ success: 1 })
      await project([ContainerImage({ name, login })], { secrets }).destroy()
      expect(await containers.image(name)).toBeUndefined()
    })
  })

  describe('a container', () => {
    test('that does not get healthy leaves the one before serving, on the same port', async () => {
      const project = fresh()
      const before = [web({ command: httpd, ports, health })]
      await project(before).apply()
      const { id } = (await containers.container(`${prefix}-web`)) ?? {}
      const bad = web({ command: ['sh', '-c', 'echo no database; sleep 100000'], ports, health })
      const { results } = await project([bad]).apply()
      expect(results[0]?.error).toMatchObject({ code: 'not-converged' })
      expect(results[0]?.error?.message).toContain('no database')
      expect((await project(before).apply()).outcomes).toMatchObject({ failure: 0 })
      expect(await page()).toBe('')
      expect(await containers.container(`${prefix}-web`)).toMatchObject({ id, health: 'healthy' })
    })

    test('is replaced without a gap where nothing is in the way', async () => {
      const project = fresh()
      const network = ContainerNetwork({ name: `${prefix}-net` })
      const site = (level: string) => {
        const networks = [{ name: `${prefix}-net`, aliases: ['site'] }]
        return web({ command: httpd, env: { LEVEL: level }, networks, health })
      }
      await project([network, site('info')]).apply()
      const docker = await engine()
      const { StartedAt } = (await docker.getContainer(`${prefix}-web`).inspect()).State
      const since = Math.floor(Date.parse(StartedAt) / 1000)
      await project([network, site('debug')]).apply()
      const until = Math.ceil(Date.now() / 1000) + 1
      const filters = { event: ['die', 'health_status'] }
      const events = await docker.getEvents({ since, until, filters })
      const named = new RegExp(`"name":"(${prefix}-web[^"]*)"`)
      const told: string[] = []
      for await (const line of createInterface(events)) {
        // `since` knows whole seconds only, in which the container of another test may have ended.
        const { timeNano } = JSON.parse(line) as { readonly timeNano: number }
        if (timeNano < Date.parse(StartedAt) * 1e6) continue
        const name = named.exec(line)?.[1]
        const action = /"Action":"([^"]*)"/.exec(line)?.[1]
        if (name && action) told.push(`${name.slice(prefix.length)} ${action}`)
      }
      // A busy machine may miss a check in between; what counts is who is there when the old one goes.
      expect(told.filter((each) => each.endsWith(' die'))).toEqual(['-web.harmony-old die'])
      const before = told.slice(0, told.indexOf('-web.harmony-old die'))
      expect(before).toContain('-web.harmony-new health_status: healthy')
    })

    test('that fails again and again is a failure with its last lines', async () => {
      const { results } = await fresh()([
        web({ command: ['sh', '-c', 'echo out of luck; exit 3'], stableForMs: 2000 }),
      ]).apply()
      expect(results[0]?.error).toMatchObject({ code: 'not-converged' })
      expect(results[0]?.error?.message).toContain('out of luck')
    })

    test.each<[what: string, spec: Partial<ContainerSpec>, message: string]>([
      ['a program that is not there', { command: ['nope'] }, 'there is no program nope in the image'],
      ['a user that is not there', { user: 'nobody-here' }, 'there is no user nobody-here in the image'],
      [
        'a path that is not there',
        { mounts: [{ type: 'bind', source: '/nowhere', target: '/x' }] },
        '/nowhere does not exist on the host',
      ],
      [
        'a volume that nobody declares',
        { mounts: [{ type: 'volume', volume: 'nowhere', target: '/x' }] },
        'there is no volume nowhere',
      ],
      ['a network that is not there', { networks: [{ name: 'nowhere' }] }, 'there is no network nowhere'],
    ])('with %s is refused, and says so', async (_, spec, message) => {
      const { results } = await fresh()([web(spec)]).apply()
      expect(results[0]?.error).toMatchObject({ code: 'refused', hint: expect.any(String) })
      expect(results[0]?.error?.message).toContain(message)
    })

    test('whose port another container has says which', async () => {
      const project = fresh()
      await project([web({ ports })]).apply()
      const docker = await engine()
      const other = await docker.createContainer({
        name: `${prefix}-other`,
        Image: image,
        ExposedPorts: { '80/tcp': {} },
        HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: `${port}` }] } },
      })
      await docker.getContainer(`${prefix}-web`).stop()
      await other.start()
      const { results } = await project([web({ ports })]).apply()
      expect(results[0]?.error?.message).toContain(
        `port ${port} of the host is taken by the container ${prefix}-other`,
      )
    })

    test('whose port a program has says so', async () => {
      const server = createServer().listen(port, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => void server.close())
      const { results } = await fresh()([web({ ports })]).apply()
      expect(results[0]?.error?.message).toContain('a port of the host is taken')
    })

    test('gets secrets in its environment, and nobody else does', async () => {
      const project = fresh()
      const scores = [
        web({ env: { TOKEN: secret('token') }, command: ['sh', '-c', 'exit 1'], restart: 'no' }),
      ]
      const { results, events, plan } = await project(scores).apply()
      const { Config } = await (await engine()).getContainer(`${prefix}-web`).inspect()
      expect(Config.Env).toContain('TOKEN=the-value-of-the-secret-token')
      expect(JSON.stringify([results, events, plan])).not.toContain('the-value-of')
    })
  })

  test('fifty containers that are as wanted are left alone', async () => {
    const project = fresh()
    const scores = Array.from({ length: 50 }, (_, i) =>
      Container({
        name: `${prefix}-many-${i}`,
        image,
        stopSignal: 'SIGKILL',
        stableForMs: 1,
        networks: 'none',
      }),
    )
    await project(scores).apply()
    expect((await project(scores).apply()).changed).toBe(0)
  })
})

describeWith(privateEngines, 'an engine that goes away', () => {
  let own: PrivateEngine
  let registry: Registry
  beforeAll(async () => {
    registry = await startRegistry()
    await registry.publish('app', '1', 'x'.repeat(100_000))
    own = await startPrivateEngine()
  })
  afterAll(async () => {
    await own[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  /** A process of its own would connect anew. */
  function connect(): LinuxContainers {
    const containers = linuxContainers(localHost(), { socket: own.socket })
    onTestFinished(() => containers.close())
    return containers
  }
  const scores = () => [
    Container({
      name: 'app',
      image: `${registry.address}/app:1`,
      networks: 'none',
      stopSignal: 'SIGKILL',
      health: { command: 'true', intervalMs: 2000 },
    }),
  ]

  test('in the middle of a pull fails that Score, and the next apply completes it', async () => {
    const asked = registry.holdBack()
    const containers = connect()
    const project = on(containers)
    const applying = project(scores()).apply()
    await asked
    await own.kill()
    const { results } = await applying
    expect(results[0]?.error).toMatchObject({ code: 'unreachable' })
    registry.release()
    await expect(project(scores()).plan()).resolves.toMatchObject({
      failures: [{ code: 'unreachable', message: expect.stringContaining('does not answer') }],
    })
    await own.start()
    expect((await project(scores()).apply()).outcomes).toMatchObject({ success: 1, failure: 0 })
    expect((await project(scores()).apply()).changed).toBe(0)
  })

  test('while a replacement is waited for leaves what the next apply finishes', async () => {
    const containers = connect()
    const project = on(containers)
    await project(scores()).apply()
    const next = () => [
      Container({
        name: 'app',
        image: `${registry.address}/app:1`,
        networks: 'none',
        stopSignal: 'SIGKILL',
        env: { LEVEL: 'debug' },
        health: { command: 'true', intervalMs: 3000 },
      }),
    ]
    const applying = project(next()).apply()
    while ((await containers.container('app.harmony-new'))?.health !== 'starting');
    await own.kill()
    const { results } = await applying
    expect(results[0]).toMatchObject({ outcome: 'failure', error: { code: 'unreachable' } })
    await own.start()
    expect((await project(next()).apply()).outcomes).toMatchObject({ success: 1, failure: 0 })
    expect((await project(next()).apply()).changed).toBe(0)
    expect(await containers.container('app.harmony-new')).toBeUndefined()
    expect(await containers.container('app.harmony-old')).toBeUndefined()
    await project(next()).destroy()
  })
})

describeWith(linuxHosts, 'over SSH', () => {
  test.each([
    ['root', false],
    ['pi', true],
  ] as const)(
    'a Pi that runs an engine gets a container as this machine does, as %s (by sudo: %s)',
    async (user, sudo) => {
      await using there = await startLinuxHost({ withEngine: true, users: [user] })
      const { folder } = await busyboxRoot()
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      writeFileSync(join(folder, 'known_hosts'), there.hostKey)
      const config = ['Host pi', 'HostName 127.0.0.1', `Port ${there.port}`, `User ${user}`]
      config.push(`IdentityFile ${there.keyFile}`, `UserKnownHostsFile ${join(folder, 'known_hosts')}`)
      writeFileSync(join(folder, 'config'), `${config.join('\n')}\n`)
      await importBusybox(`${prefix}-ssh:1`)
      onTestFinished(async () => {
        await clearEngine(prefix)
        await (await engine()).getImage(`${prefix}-ssh:1`).remove({ force: true })
      })
      /** As a process of its own does: it connects, works, and is gone. */
      const pass = async <T>(work: (project: ReturnType<typeof conduct>) => Promise<T>): Promise<T> => {
        const pi = new PiTopology({ host: ssh('pi', { configFile: join(folder, 'config'), sudo }) })
        await pi.open?.(new AbortController().signal)
        const app = { name: `${prefix}-pi`, image: `${prefix}-ssh:1`, command: httpd, health, ports }
        return await work(conduct(pi, [Container({ ...app, stopSignal: 'SIGKILL' })]))
      }
      expect((await pass((project) => project.apply())).outcomes).toMatchObject({ success: 1 })
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
      expect((await pass((project) => project.apply())).changed).toBe(0)
      const docker = await engine()
      await docker.getContainer(`${prefix}-pi`).kill()
      expect((await pass((project) => project.apply())).changed).toBe(1)
      expect((await pass((project) => project.destroy())).outcomes).toMatchObject({ failure: 0 })
      const left = await docker.listContainers({ all: true, filters: { name: [`${prefix}-pi`] } })
      expect(left).toEqual([])
    },
  )
})
