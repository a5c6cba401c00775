/** The kinds that set what every host has, on a real Debian with systemd: the same contract as in memory. */

import { setImmediate } from 'node:timers/promises'
import { sysctlFile } from '@harmony-iac/core'
import type { SystemSettings } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import {
  conduct,
  Faults,
  MemoryHome,
  mortalHost,
  type Snapshot,
  type Stage,
  scoreConformance,
} from '@harmony-iac/core/testing'
import { Hostname, Sysctl, Timezone } from '@harmony-iac/scores'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { containerHost } from '../../../../../scripts/testing/container-host.ts'
import { dockerEngine } from '../../../../../scripts/testing/engine.ts'
import { type LinuxHost, startLinuxHost } from '../../../../../scripts/testing/linux-host.ts'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { affordable } from '../../../test/affordable.ts'
import { linuxFiles } from '../files.ts'
import { linuxSystem } from './system.ts'

const forward = 'net.ipv4.ip_forward'
const rmem = 'net.ipv4.tcp_rmem'
const dotted = 'net.ipv4.conf.kit/1.forwarding'

/** As an installer leaves it. The zones are so much of real ones that systemd takes them for such. */
const fresh = `
rm -rf /etc/sysctl.d/*-harmony-* /etc/sysctl.d/99-local.conf /etc/machine-info /var/tmp/kept /etc/.*harmony* /etc/sysctl.d/.*harmony*
echo before >/etc/hostname
hostname before
printf '127.0.0.1\\tlocalhost\\n127.0.1.1\\tbefore.example.org before\\n::1\\tlocalhost\\n' >/etc/hosts
for zone in Etc/UTC Europe/Berlin Asia/Tokyo; do
  mkdir -p /usr/share/zoneinfo/\${zone%/*}
  printf 'TZif2' >/usr/share/zoneinfo/$zone
done
ln -sfn /usr/share/zoneinfo/Etc/UTC /etc/localtime
echo Etc/UTC >/etc/timezone
ip link show kit.1 >/dev/null 2>&1 || ip link add kit.1 type veth peer name kit.2
sysctl -qw ${forward}=0 ${rmem}='4096 131072 6291456' net/ipv4/conf/kit.1/forwarding=0
`

const look = `
for file in /etc/hostname /etc/hosts /etc/machine-info /etc/timezone /etc/sysctl.d/*; do
  [ -f $file ] && printf '%s\\t%s %s\\n' $file "$(stat -c '%a %u' $file)" "$(base64 -w0 $file)"
done
printf '/etc/localtime\\t%s\\n' "$(readlink /etc/localtime)"
printf 'name\\t%s\\n' "$(cat /proc/sys/kernel/hostname)"
for key in ipv4/ip_forward ipv4/tcp_rmem ipv4/conf/kit.1/forwarding; do
  printf '%s\\t%s\\n' $key "$(tr '\\t' ' ' </proc/sys/net/$key)"
done
`

interface SystemStage extends Stage {
  readonly system: SystemSettings
  run(script: string): Promise<string>
}

describeWith(dockerEngine, 'what every host has, on a real one', () => {
  let container: LinuxHost
  let here: Host
  const run = async (script: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await here.exec(['sh', '-c', script])
    if (exitCode !== 0) throw new Error(`${script}: ${Buffer.from(stderr)}`)
    return Buffer.from(stdout).toString()
  }
  beforeAll(async () => {
    container = await startLinuxHost()
    here = await containerHost(container.containerId)
  })
  afterAll(async () => {
    await here?.close()
    await container?.[Symbol.asyncDispose]()
  })

  async function stage(): Promise<SystemStage> {
    await run(fresh)
    const faults = new Faults()
    const host = mortalHost(here, faults)
    const home = new MemoryHome({ name: 'container', faults })
    // What is shared by all who ask in one turn of the event loop is not shared by two processes.
    const lock = home.lock.bind(home)
    home.lock = async (options) => {
      await setImmediate()
      return await lock(options)
    }
    const files = linuxFiles(host, { keepFolder: async () => '/var/tmp/kept' })
    return {
      name: 'container',
      home,
      faults,
      system: linuxSystem(host, files),
      run,
      async snapshot(): Promise<Snapshot> {
        const lines = (await run(look)).trim().split('\n')
        return Object.fromEntries(lines.map((line) => line.split('\t', 2)) as [string, string][])
      },
      async residue() {
        const left = await run('ls -A /var/tmp/kept 2>/dev/null; find /etc -name ".*harmony*"; true')
        return [...home.stored.keys(), ...left.split('\n').filter(Boolean)]
      },
    }
  }

  describe('Hostname', () => {
    const checks = scoreConformance({
      factory: Hostname,
      topology: stage,
      cases: [
        {
          name: 'everything',
          scores: () => [Hostname({ name: 'kiosk-7', pretty: 'Kiosk "in the lobby", für $5' })],
          updated: () => [Hostname({ name: 'kiosk-8', pretty: '' })],
          tampers: {
            '': async ({ run }) => void (await run('rm /etc/hostname')),
            name: async ({ run }) => void (await run('hostname other')),
            pretty: async ({ run }) => void (await run('echo PRETTY_HOSTNAME=other >/etc/machine-info')),
          },
        },
        {
          name: 'without a line of its own',
          prepare: async ({ run }) => void (await run("printf '127.0.0.1 localhost before\\n' >/etc/hosts")),
          scores: () => [Hostname({ name: 'kiosk.example.org' })],
        },
      ],
    })
    for (const check of affordable(checks, { kills: /everything: apply/ }))
      test(check.name, check.run, 600_000)
  })

  describe('Timezone', () => {
    const checks = scoreConformance({
      factory: Timezone,
      topology: stage,
      cases: [
        {
          name: 'everything',
          scores: () => [Timezone({ zone: 'Europe/Berlin' })],
          updated: () => [Timezone({ zone: 'Asia/Tokyo' })],
          tampers: {
            '': async ({ run }) => void (await run('rm /etc/localtime')),
            zone: async ({ run }) => void (await run('echo Asia/Tokyo >/etc/timezone')),
          },
        },
        {
          name: 'a copy',
          prepare: async ({ run }) =>
            void (await run('rm /etc/timezone /etc/localtime; printf TZif2 >/etc/localtime')),
          scores: () => [Timezone({ zone: 'Europe/Berlin' })],
        },
      ],
    })
    for (const check of affordable(checks, { kills: /everything: apply/ }))
      test(check.name, check.run, 600_000)
  })

  describe('Sysctl', () => {
    const checks = scoreConformance({
      factory: Sysctl,
      topology: stage,
      cases: [
        {
          name: 'everything',
          scores: () => [Sysctl({ key: rmem, value: '4096 131072 7000000' })],
          updated: () => [Sysctl({ key: rmem, value: '4096 131072 8000000' })],
          tampers: {
            '': async ({ run }) => void (await run(`rm ${sysctlFile(rmem)}`)),
            value: async ({ run }) => void (await run(`sysctl -qw ${rmem}='1 2 3'`)),
          },
        },
        {
          name: 'several, one of an interface with a dot in its name',
          scores: () => [Sysctl({ key: rmem, value: '1 2 3' }), Sysctl({ key: dotted, value: 1 })],
          tampers: {
            key: async ({ run }) => void (await run('sysctl -qw net/ipv4/conf/kit.1/forwarding=0')),
          },
        },
      ],
    })
    for (const check of affordable(checks, { kills: /everything: apply/ }))
      test(check.name, check.run, 600_000)
  })

  test('a host that has been renamed still finds itself, and its own service knows', async () => {
    const here = await stage()
    await conduct(here, [Hostname({ name: 'kiosk', pretty: 'The kiosk' })]).apply()
    expect(await run('getent hosts kiosk')).toContain('127.0.1.1')
    expect(await run('hostname')).toBe('kiosk\n')
    expect(await run('sudo -n true 2>&1')).toBe('')
  })

  test('what is kept for the next start is what systemd reads then', async () => {
    const here = await stage()
    const project = conduct(here, [Sysctl({ key: forward, value: 1 }), Sysctl({ key: dotted, value: 1 })])
    await project.apply()
    await run(`sysctl -qw ${forward}=0 net/ipv4/conf/kit.1/forwarding=0`)
    await run('/usr/lib/systemd/systemd-sysctl --prefix=net; true')
    expect((await project.drift()).entries).toEqual([])
    await run(`echo 'net/ipv4/ip_forward = 0' >/etc/sysctl.d/99-local.conf`)
    await run('/usr/lib/systemd/systemd-sysctl --prefix=net; true')
    const { entries } = await project.drift()
    const moved = entries.find(({ address }) => address === `Sysctl:${forward}`)
    expect(moved?.differences).toMatchObject([
      { path: 'value', from: '0' },
      { path: 'boot', from: '0 (/etc/sysctl.d/99-local.conf:1)' },
    ])
  })

  test('what the kernel does not take is told in its words', async () => {
    const refused = async (key: string, value: string | number) => {
      const { results } = await conduct(await stage(), [Sysctl({ key, value })]).apply()
      return results[0]?.error
    }
    expect(await refused(rmem, 'many')).toMatchObject({
      code: 'refused',
      message: expect.stringContaining('Invalid argument'),
    })
    // Not a setting of the network: read-only in a container.
    expect(await refused('vm.swappiness', 11)).toMatchObject({
      code: 'refused',
      message: expect.stringContaining('Read-only file system'),
      hint: expect.stringContaining('container'),
    })
    const here = await stage()
    const plan = async (key: string) => (await conduct(here, [Sysctl({ key, value: 1 })]).plan()).failures[0]
    expect(await plan('net.ipv4.ip_fordward')).toMatchObject({
      code: 'refused',
      hint: expect.stringContaining('did you mean net.ipv4.ip_forward?'),
    })
    expect(await plan('net.ipv4.route.flush')).toMatchObject({
      message: expect.stringContaining('an order and not a setting'),
    })
    expect(await plan('kernel.version')).toMatchObject({
      message: expect.stringContaining('lets nobody change it'),
    })
  })

  test('a host without zones says what to install', async () => {
    const here = await stage()
    await run('mv /usr/share/zoneinfo /usr/share/zoneinfo.away')
    const plan = await conduct(here, [Timezone({ zone: 'Europe/Berlin' })]).plan()
    await run('mv /usr/share/zoneinfo.away /usr/share/zoneinfo')
    expect(plan.failures).toMatchObject([
      { code: 'refused', hint: expect.stringContaining("Package({ name: 'tzdata' })") },
    ])
  })
})
