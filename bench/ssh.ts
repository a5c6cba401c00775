/**
 * `npm run bench:ssh`: what Harmony costs over SSH, on hosts in containers of this machine, whole processes, medians.
 * Beside it `ssh HOST true`, the least that anything over SSH costs, and with `--ansible` what Ansible takes for the same,
 * where `ansible-playbook` is there (ten minutes). `--quick` makes fewer runs, and fewer hosts.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startArchive } from '../scripts/testing/archive.ts'
import { type LinuxHost, startLinuxHost } from '../scripts/testing/linux-host.ts'
import { startRelay } from '../scripts/testing/relay.ts'
import { median, peakMemory, type Subject } from './measure.ts'
import { World } from './world.ts'

const quick = process.argv.includes('--quick')
const withAnsible = process.argv.includes('--ansible')
const runs = quick ? 3 : 7
const hostCount = quick ? 3 : 20

function report(what: string, value: string, ok?: boolean, bar = ''): void {
  const verdict = ok === undefined ? '' : ok ? 'yes' : 'NO'
  console.log(`| ${what.padEnd(54)} | ${value.padEnd(32)} | ${bar.padEnd(8)} | ${verdict.padEnd(3)} |`)
}
function reportTime(what: string, ms: number, barMs?: number, more = ''): void {
  const ok = barMs === undefined ? undefined : ms <= barMs
  report(what, `${ms.toFixed(0)} ms${more}`, ok, barMs === undefined ? '' : `≤ ${barMs / 1000} s`)
}

/** Runs a command once, while hosts and relays in this process go on; its wall time in milliseconds. */
async function time({ argv, cwd, env }: Subject): Promise<number> {
  const [program, ...args] = argv
  const start = performance.now()
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = Promise.all([text(child.stdout), text(child.stderr)])
  const [status] = (await once(child, 'close')) as [number | null]
  const ms = performance.now() - start
  if (status !== 0)
    throw new Error(`${argv.join(' ')} ended with ${status}\n${(await printed).join('').slice(-4000)}`)
  return ms
}
async function timeOften(subject: Subject, prepare?: () => Promise<unknown>, times = runs): Promise<number> {
  const all: number[] = []
  for (let run = 0; run < times; run += 1) {
    await prepare?.()
    all.push(await time(subject))
  }
  return median(all)
}

interface Place {
  readonly host: LinuxHost
  readonly port?: number
}

/** A project of files and services on each of some hosts, named `h0`, `h1`, …. */
function project(
  world: World,
  name: string,
  places: readonly Place[],
  files: number,
  services: number,
): string {
  const folder = world.project(
    name,
    () => `import { defineProject, deploy } from '@harmony-iac/core'
import { Directory, File, SystemdService } from '@harmony-iac/scores'
import { PiTopology, ssh } from '@harmony-iac/topologies'

const count = (length: number) => Array.from({ length }, (_, k) => 1001 + k)
const unit = { Service: { ExecStart: '/bin/sleep infinity' }, Install: { WantedBy: 'multi-user.target' } }

export default defineProject({
  name: 'bench',
  deployments: count(${places.length}).map((n) =>
    deploy(new PiTopology({ host: ssh('h' + (n - 1001), { configFile: import.meta.dirname + '/ssh_config' }) }), [
      Directory({ path: '/srv/bench', mode: '0755' }),
      count(${files}).map((i) => File({ path: '/srv/bench/f' + i, content: 'file ' + i + '\\n', mode: '0640' })),
      count(${services}).map((i) => SystemdService({ name: 'bench-' + i, unit, enabled: true, active: true })),
    ]),
  ),
})
`,
  )
  const sections = places.map(
    ({ host, port = host.port }, k) => `Host h${k}
  HostName 127.0.0.1
  Port ${port}
  User root
  IdentityFile ${host.keyFile}
  UserKnownHostsFile ${folder}/known_hosts
  HostKeyAlias h${k}
`,
  )
  writeFileSync(join(folder, 'ssh_config'), sections.join('\n'))
  const keys = places.map(({ host }, k) => `h${k} ${host.hostKey.split(' ').slice(1).join(' ')}\n`)
  writeFileSync(join(folder, 'known_hosts'), keys.join(''))
  return folder
}

/** The same job by Ansible, over the same sshd. It needs Python there, which is not charged to it. */
async function compareAnsible(): Promise<void> {
  await using archive = await startArchive()
  const prepared = await host.exec([
    'sh',
    '-euc',
    'printf %s "$1" >/etc/apt/apt.conf.d/99archive; printf %s "$2" >/etc/apt/sources.list; apt-get -qq update; apt-get install -y -qq --no-install-recommends python3',
    'sh',
    archive.aptConf,
    archive.sourcesList,
  ])
  if (prepared.exitCode !== 0) throw new Error(`no Python on the host: ${prepared.stderr}`)
  writeFileSync(
    join(folder, 'ansible.cfg'),
    `[ssh_connection]\npipelining = True\nssh_args = -F ${join(folder, 'ssh_config')} -o ControlMaster=auto -o ControlPersist=60s\n`,
  )
  writeFileSync(
    join(folder, 'playbook.yml'),
    `- hosts: all
  gather_facts: false
  tasks:
    - file: {path: /srv/bench, state: directory, mode: "0755"}
    - copy: {dest: "/srv/bench/f{{ item }}", mode: "0640", content: "file {{ item }}\\n"}
      loop: "{{ range(1001, 2001) | list }}"
    - copy:
        dest: "/etc/systemd/system/bench-{{ item }}.service"
        mode: "0644"
        content: |
          [Service]
          ExecStart=/bin/sleep infinity
          [Install]
          WantedBy=multi-user.target
      loop: "{{ range(1001, 1011) | list }}"
      register: units
    - systemd: {daemon_reload: true}
      when: units is changed
    - systemd: {name: "bench-{{ item }}", enabled: true, state: started}
      loop: "{{ range(1001, 1011) | list }}"
`,
  )
  const ansible: Subject = {
    argv: ['ansible-playbook', '-i', 'h0,', 'playbook.yml'],
    cwd: folder,
    env: { ANSIBLE_CONFIG: join(folder, 'ansible.cfg') },
  }
  reportTime('Ansible over the same sshd, first apply', await time(ansible))
  reportTime('the same, no-op', await time(ansible))
}

const world = new World()
await using hosts = new AsyncDisposableStack()
hosts.defer(() => world.remove())
const startHost = async () => hosts.use(await startLinuxHost({ users: ['root'] }))

report('what', 'median', undefined, 'bar')
const host = await startHost()
const folder = project(world, 'one', [{ host }], 1000, 10)
reportTime(
  'ssh HOST true',
  await timeOften({ argv: ['ssh', '-F', join(folder, 'ssh_config'), 'h0', 'true'] }),
)

const apply = world.harmony('one', ['apply', '--yes'])
const destroy = world.harmony('one', ['destroy', '--yes'])
const first: number[] = []
for (let run = 0; run < (quick ? 1 : 3); run += 1) {
  if (run > 0) await time(destroy)
  first.push(await time(apply))
}
reportTime('1,000 files and 10 services, first apply', median(first), 3000)
reportTime('the same, no-op', await timeOften(apply), 1000)
report('the same, no-op, peak memory', `${peakMemory(apply).toFixed(0)} MB`)
const tampered = await timeOften(apply, () =>
  host.exec([
    'sh',
    '-c',
    'for i in 1 2 3 4 5 6 7 8 9; do echo tampered >/srv/bench/f100$i; done; systemctl stop bench-1005',
  ]),
)
reportTime('the same, 9 files and a service repaired', tampered)
await time(destroy)
if (withAnsible) await compareAnsible()

await using relay = await startRelay({ to: host.port, latencyMs: 50 })
project(world, 'far', [{ host, port: relay.port }], 1000, 10)
const farApply = world.harmony('far', ['apply', '--yes'])
reportTime('the same, 50 ms away each way, first apply', await time(farApply))
const before = relay.counters.roundTrips
const far = await timeOften(farApply)
const trips = (relay.counters.roundTrips - before) / runs
reportTime('the same, 50 ms away each way, no-op', far, 3000, `, ${trips.toFixed(0)} round trips`)
await time(world.harmony('far', ['destroy', '--yes']))

const places: Place[] = [{ host }]
while (places.length < hostCount) places.push({ host: await startHost() })
project(world, 'many', places, 100, 5)
const manyApply = world.harmony('many', ['apply', '--yes'])
reportTime(`${hostCount} hosts, 100 files and 5 services each, first apply`, await time(manyApply))
reportTime('the same, no-op', await timeOften(manyApply), 2500)
const mb = peakMemory(manyApply)
report('the same, no-op, peak memory', `${mb.toFixed(0)} MB`, mb <= 250, '≤ 250 MB')
