import type { ExecResult, FileStat, Host } from '@harmony-iac/core/host'
import { SimulatedTopology } from '@harmony-iac/core/testing'
import { expect, test } from 'vitest'
import { linuxSystem } from './system.ts'

/** A host whose kernel has the settings that are named, and whose programs say what is told. */
function hostWith(settings: Readonly<Record<string, string>>, said: Readonly<Record<string, string>> = {}) {
  const ran: (readonly string[])[] = []
  const result = (exitCode: number, stdout: string, stderr: string): ExecResult => ({
    exitCode,
    signal: null,
    timedOut: false,
    stdout: Buffer.from(stdout),
    stderr: Buffer.from(stderr),
    stdoutCut: 0,
    stderrCut: 0,
    durationMs: 1,
  })
  const host = {
    name: 'host',
    files: { lstat: async (path: string) => stats[path] },
    facts: async () => ({ uid: 0, gid: 0, home: '/root', env: {} }),
    exec: async (argv: readonly [string, ...string[]]) => {
      ran.push(argv)
      const refusal = said[argv[0]]
      if (refusal !== undefined) return result(1, '', refusal)
      if (argv[0] !== 'grep') return result(0, '', '')
      const lines = argv.slice(4).flatMap((path) => (path in settings ? [`${path}:${settings[path]}\n`] : []))
      return result(lines.length < argv.length - 4 ? 2 : 0, lines.join(''), '')
    },
    dial: () => Promise.reject(new Error('no bus here')),
  } as unknown as Host
  const stats: Record<string, Partial<FileStat>> = { '/proc/sys/net/flush': { type: 'file', mode: 0o200 } }
  const { files } = new SimulatedTopology({
    files: { '/etc/hostname': 'old\n', '/etc/hosts': '127.0.1.1 old\n' },
  })
  return { ran, system: linuxSystem(host, files), files }
}

test('a thousand settings are asked for with two programs', async () => {
  const keys = Array.from({ length: 1000 }, (_, i) => `net.test.k${i}`)
  const { ran, system } = hostWith(
    Object.fromEntries(keys.map((key, i) => [`/proc/sys/${key.replaceAll('.', '/')}`, `${i}`])),
  )
  const found = await Promise.all(keys.map((key, i) => system.kernel.look({ key, value: `${i}` })))
  expect(found.map(({ live }) => live)).toEqual(keys.map((_, i) => `${i}`))
  expect(ran.map(([program]) => program)).toEqual(['grep', 'grep'])
})

test('one that is missing does not hide the others', async () => {
  const { system } = hostWith({ '/proc/sys/a/b': '4096\t1' })
  const [there, gone, order] = await Promise.allSettled([
    system.kernel.look({ key: 'a.b', value: '4096 1' }),
    system.kernel.look({ key: 'a.c', value: '1' }),
    system.kernel.look({ key: 'net.flush', value: '1' }),
  ])
  expect(there).toMatchObject({ status: 'fulfilled', value: { live: '4096 1' } })
  expect(gone).toMatchObject({ reason: { code: 'refused', message: expect.stringContaining('there is no') } })
  expect(order).toMatchObject({ reason: { code: 'refused', message: expect.stringContaining('an order') } })
})

test.each([
  ['hostname: you must be root to change the host name', /SYS_ADMIN/],
  ['hostname: sethostname: Read-only file system', /docker run --sysctl, --hostname/],
  ['', /see what it says/],
])('a host that is not to be renamed says why: %s', async (stderr, hint) => {
  const { system, ran } = hostWith({ '/proc/sys/kernel/hostname': 'old' }, { hostname: stderr })
  await expect(system.hostName.set({ name: 'new' })).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining(stderr || 'it does not say why'),
    hint: expect.stringMatching(hint),
  })
  expect(ran).toContainEqual(['hostname', 'new'])
})

test('what the kernel refuses is told with its own words, and nothing but the value is handed over', async () => {
  const { system, ran } = hostWith({ '/proc/sys/a/b': '0' }, { tee: 'tee: /proc/sys/a/b: Invalid argument' })
  await expect(system.kernel.set({ key: 'a.b', value: '$(id)' })).rejects.toMatchObject({
    code: 'refused',
    message: 'a/b = $(id) is not taken by the host: tee: /proc/sys/a/b: Invalid argument',
    hint: expect.stringContaining('refuses this value'),
  })
  expect(ran).toContainEqual(['tee', '/proc/sys/a/b'])
})
