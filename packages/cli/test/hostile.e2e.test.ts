/**
 * Hostile text in every field of every kind, on a real host over SSH: nothing is run, nothing is written elsewhere, and
 * nothing stays. What a schema takes may still fail, in words; it must not do anything else.
 */
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as scores from '@harmony-iac/scores'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { containerImages, importBusybox } from '../../../scripts/testing/busybox-image.ts'
import { engine } from '../../../scripts/testing/engine.ts'
import { type LinuxHost, linuxHosts, startLinuxHost } from '../../../scripts/testing/linux-host.ts'
import { describeWith, type Part } from '../../../scripts/testing/require-part.ts'
import { type Attempt, canary, hostileScores } from './hostile-scores.ts'
import { projectOn } from './pi-project.ts'
import type { Project } from './project.ts'

const needed = [linuxHosts, containerImages]
const parts: Part = {
  name: needed.map(({ name }) => name).join(', '),
  get: needed.map(({ get }) => get).join('; '),
  present: needed.every(({ present }) => present),
}

const prefix = `hostile${process.pid}x`
const image = `${prefix}:1`
const folder = '/srv/hostile'

/** Everything of the host but what it writes for itself. */
const look = `
own='( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log -o -path /var/cache
  -o -path /var/lib/systemd -o -path /var/lib/apt -o -path /var/backups -o -path /var/tmp -o -path /etc/*- -o -name .pwd.lock ) -prune'
set -f
find / -xdev $own -o -printf '%p %y %m %u %g %l\\0' | tr '\\n' '\\001' | tr '\\0' '\\n' | sort
find / -xdev $own -o -type f -exec sha256sum '{}' + | sort
cat /proc/sys/net/ipv4/conf/*/*
hostname
`

/** Where Scores of the test may put anything, and the folders that change with it. */
const places = [
  folder,
  '/var/lib/harmony',
  '/etc/systemd/system',
  '/etc/sysctl.d',
  '/home/admin/.ssh',
  `/home/${prefix}`,
  ...'passwd group shadow gshadow subuid subgid hostname hosts machine-info localtime timezone'
    .split(' ')
    .map((name) => `/etc/${name} `),
]
const changedWith = ['/', '/srv', '/etc', '/home', '/home/admin', '/var/lib', '/var/mail'].map(
  (path) => `${path} d `,
)

describeWith(parts, 'hostile text', () => {
  let host: LinuxHost
  beforeAll(async () => {
    host = await startLinuxHost({ withEngine: true })
    // No archive: what no host has is told without asking the network.
    await sh('rm -rf /etc/apt/sources.list.d; : >/etc/apt/sources.list')
    await clearEngine()
    await importBusybox(image)
  })
  afterAll(async () => {
    await clearEngine()
    await (await engine()).getImage(image).remove({ force: true })
    await host?.[Symbol.asyncDispose]()
  })

  const sh = async (script: string) => (await host.exec(['sh', '-c', script])).stdout

  test.each([
    // What containers are told goes the same way as root, whoever has logged in: through the engine's socket.
    ['as root', 'root', '{}', (kind: string) => !kind.startsWith('Container')],
    ['by sudo', 'pi', '{ sudo: true }', () => true],
  ])(
    '%s is never run, nor written elsewhere, and is gone with its Score',
    async (_, user, options, isTried) => {
      const { accepted: all, tallies } = hostileScores({ folder, image, prefix })
      const accepted = all.filter(({ kind }) => isTried(kind))
      expect(Object.keys(tallies).sort()).toEqual(Object.keys(scores).sort())
      for (const [kind, { accepted: some }] of Object.entries(tallies))
        expect(some, `hostile ${kind} that its schema takes`).toBeGreaterThan(0)

      using project = projectOn(
        host,
        { there: { user } },
        `import * as kinds from '@harmony-iac/scores'
import { readFileSync } from 'node:fs'
import { PiTopology as Pi, ssh as over } from '@harmony-iac/topologies'
const there = new Pi({ shell: true, host: over('there', { configFile: import.meta.dirname + '/ssh_config', ...${options} }) })
const list = JSON.parse(readFileSync(import.meta.dirname + '/scores.json', 'utf8'))
const factories: any = kinds
export default defineProject({ name: 'hostile', deployments: [deploy(there, [
  Directory({ path: '${folder}' }),
  list.map(({ kind, spec }: any) => factories[kind](spec)),
])] })`,
      )
      const before = await sh(look)
      const problems: Problem[] = []
      const unplannable = new Set<unknown>()
      for (const { attempts, targets } of rounds(accepted)) {
        const write = () =>
          project.write({
            'scores.json': JSON.stringify(attempts.filter(({ address }) => !unplannable.has(address))),
          })
        const line = `--no-check --json ${targets.map((each) => `--target ${each}`).join(' ')}`
        write()
        const planned = await project.run(`plan ${line}`)
        for (const { type, ...event } of planned.events)
          if (type === 'unobservable') {
            problems.push(event as unknown as Problem)
            unplannable.add(event.address)
          } else expect(['topology', 'step', 'summary'], JSON.stringify(event)).toContain(type)
        write()
        const applied = await project.run(`apply --yes ${line}`)
        for (const { type, address, error } of applied.events)
          if (type === 'finished' && error) problems.push({ address, ...(error as object) } as Problem)
        expect(await canaries(project)).toEqual([])
      }
      // Told in words of its own kind, and never as a mistake of ours.
      expect(problems.filter(({ code }) => !mayBe.includes(code))).toEqual([])
      expect(
        problems.filter(({ code, address }) => code === 'not-converged' && !address.startsWith('ShellJob:')),
      ).toEqual([])
      expect(problems.length).toBeLessThan(accepted.length / 2)
      expect(elsewhere(before, await sh(look))).toEqual([])
      const destroyed = await project.run('destroy --yes --json')
      expect(destroyed.events.filter(({ outcome }) => outcome === 'failure')).toEqual([])
      expect(destroyed).toMatchObject({ status: 0, err: '' })
      expect(await canaries(project)).toEqual([])
      const after = await sh(look)
      expect(changes(before, after)).toEqual([])
      expect(await ofEngine()).toEqual([])
    },
    300_000,
  )

  /** Where a canary is, on the host and here. */
  async function canaries(project: Project): Promise<readonly string[]> {
    const there = (await sh(`find / -name ${canary} -not -path '/proc/*' 2>/dev/null`))
      .split('\n')
      .filter(Boolean)
    const here = ['/', '/etc', '/tmp', tmpdir(), process.cwd(), project.folder, project.sandbox.folder]
    return [...there, ...here.map((path) => join(path, canary)).filter((path) => existsSync(path))]
  }

  async function ofEngine(): Promise<readonly string[]> {
    const docker = await engine()
    return [
      ...(await docker.listContainers({ all: true })).flatMap(({ Names }) =>
        Names.map((name) => name.slice(1)),
      ),
      ...(await docker.listNetworks()).map(({ Name }) => Name),
      ...((await docker.listVolumes()).Volumes ?? []).map(({ Name }) => Name),
    ].filter((name) => name.startsWith(prefix))
  }

  async function clearEngine(): Promise<void> {
    const docker = await engine()
    for (const { Id, Names } of await docker.listContainers({ all: true }))
      if (Names.some((name) => name.startsWith(`/${prefix}`)))
        await docker.getContainer(Id).remove({ force: true, v: true })
    for (const { Id, Name } of await docker.listNetworks())
      if (Name.startsWith(prefix)) await docker.getNetwork(Id).remove()
    for (const { Name } of (await docker.listVolumes()).Volumes ?? [])
      if (Name.startsWith(prefix)) await docker.getVolume(Name).remove()
  }
})

interface Problem {
  readonly address: string
  readonly code: string
  readonly message: string
}

/** What a Score may fail with: whatever its hostile text names is not there. */
const mayBe = [
  'refused',
  'no-such-user',
  'unreachable',
  'command-failed',
  'not-converged',
  'invalid-value',
  'blocked',
  'system',
]

/** Lines that are in one and not in the other. */
function changes(before: string, after: string): readonly string[] {
  const [was, is] = [new Set(before.split('\n')), new Set(after.split('\n'))]
  return [...was].filter((line) => !is.has(line)).concat([...is].filter((line) => !was.has(line)))
}

/** Lines about what no Score of the test is to put or change. */
function elsewhere(before: string, after: string): readonly string[] {
  return changes(before, after)
    .map((line) => line.replace(/^\\?[0-9a-f]{64} {2}(.*)$/, '$1 '))
    .filter(
      (line) => line.startsWith('/') && ![...places, ...changedWith].some((path) => line.startsWith(path)),
    )
}

interface Round {
  readonly attempts: readonly Attempt[]
  /** What is new in it; nothing: all. */
  readonly targets: readonly string[]
}

/** All at once; what a host has only one of is another in each round. */
function* rounds(attempts: readonly Attempt[]): Generator<Round> {
  const now = new Map<string, Attempt>()
  let left = attempts
  while (left.length > 0) {
    const seen = new Set<string>()
    const later = left.filter(({ address }) => seen.has(address) || !seen.add(address))
    const fresh = left.filter((each) => !later.includes(each))
    for (const attempt of fresh) now.set(attempt.address, attempt)
    yield {
      attempts: [...now.values()],
      targets: left === attempts ? [] : fresh.map(({ address }) => address),
    }
    left = later
  }
}
