/** Packages on a real Debian, with dpkg and apt, and an archive that the test makes. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { PackageManager } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { type BuiltPackage, type DebianPackages, debianPackages } from '../../../test/debian-packages.ts'
import { chrootHost, debian } from '../../../test/debian-root.ts'
import { linuxPackages } from './packages.ts'

const app = (version: string, ...control: readonly string[]): BuiltPackage => ({
  name: 'kit-app',
  version,
  control: ['Depends: kit-lib', 'Recommends: kit-extra', ...control],
  files: { '/opt/kit-app/version': version },
  conffiles: { '/etc/kit/app.conf': `delivered with ${version}\n` },
})
const kit: readonly BuiltPackage[] = [
  app('1.0'),
  app('2.0'),
  { name: 'kit-lib', version: '1.0' },
  { name: 'kit-extra', version: '1.0' },
  { name: 'kit-other', version: '1.0', control: ['Depends: kit-lib'] },
  { name: 'kit-leftover', version: '1.0' },
  { name: 'kit-uses-leftover', version: '1.0', control: ['Depends: kit-leftover'] },
  { name: 'kit-mail-a', version: '1.0', control: ['Provides: kit-mail, kit-only', 'Conflicts: kit-mail-b'] },
  { name: 'kit-mail-b', version: '1.0', control: ['Provides: kit-mail'] },
  { name: 'kit-broken', version: '1.0', scripts: { postinst: 'echo "no such luck" >&2; exit 3' } },
  {
    name: 'kit-slow',
    version: '1.0',
    scripts: { postinst: 'touch /opt/slow-runs; [ -e /opt/slow-ends ] || sleep 60' },
  },
  { name: 'kit-needs-nothing-there', version: '1.0', control: ['Depends: kit-nowhere'] },
  ...Array.from({ length: 30 }, (_, i): BuiltPackage => ({ name: `kit-many-${i}`, version: '1.0' })),
]

describeWith(debian, 'packages of a Debian', () => {
  let there: DebianPackages
  let host: Host & { readonly ran: readonly (readonly string[])[] }
  let packages: PackageManager
  beforeAll(async () => {
    there = await debianPackages(...kit)
  }, 300_000)
  afterAll(() => there?.dispose())
  beforeEach(() => {
    there.reset()
    open()
  })

  function open(lockWaitMs?: number): void {
    host = chrootHost(there.root)
    packages = linuxPackages(host, { stateFolder: async () => '/var/lib/harmony', lockWaitMs })
  }
  const remembered = () =>
    existsSync(there.at('/var/lib/harmony/packages.json'))
      ? (JSON.parse(readFileSync(there.at('/var/lib/harmony/packages.json'), 'utf8')) as unknown)
      : undefined
  const ranOf = (...words: readonly string[]) =>
    host.ran.filter((argv) => words.every((word) => argv.includes(word)) && !argv.includes('--simulate'))
  const word = async (name: string) => (await packages.look(name)).word

  describe('looking', () => {
    test('tells version, hold and what came along, and asks once for all', async () => {
      there.run('apt-get', '-y', '-qq', 'install', 'kit-app=1.0')
      there.run('apt-mark', 'hold', 'kit-app')
      const names = ['kit-app', 'kit-lib', 'kit-broken', 'libc6', 'libc6:amd64', 'libc6:armhf']
      const states = await Promise.all(names.map((name) => packages.look(name)))
      expect(
        states.map(({ name, status, version, held, automatic }) => [name, status, version, held, automatic]),
      ).toEqual([
        ['kit-app', 'installed', '1.0', true, false],
        ['kit-lib', 'installed', '1.0', false, true],
        ['kit-broken', 'absent', undefined, false, false],
        ['libc6', 'installed', expect.stringMatching(/^2/), false, false],
        ['libc6:amd64', 'installed', expect.stringMatching(/^2/), false, false],
        ['libc6:armhf', 'absent', undefined, false, false],
      ])
      expect(host.ran).toHaveLength(1)
    })

    test('tells a package whose configuration was left', async () => {
      there.run('apt-get', '-y', '-qq', 'install', 'kit-app')
      there.run('apt-get', '-y', '-qq', 'remove', 'kit-app')
      expect(await packages.look('kit-app')).toMatchObject({ status: 'configuration', version: undefined })
    })
  })

  describe('installing', () => {
    test('puts many into one transaction', async () => {
      const names = Array.from({ length: 30 }, (_, i) => `kit-many-${i}`)
      await Promise.all(names.map((name) => packages.install(name)))
      expect(ranOf('apt-get', 'install')).toHaveLength(1)
      expect(names.map((name) => there.installed(name))).toEqual(names.map(() => 'ii 1.0'))
    })

    test('brings it to a version, up and down', async () => {
      await packages.install('kit-app', { version: '1.0', recommends: false })
      expect(there.installed('kit-app')).toBe('ii 1.0')
      expect(there.installed('kit-extra')).toBe('')
      await packages.install('kit-app', { version: '2.0' })
      expect(there.installed('kit-app')).toBe('ii 2.0')
      await packages.install('kit-app', { version: '1.0' })
      expect(there.installed('kit-app')).toBe('ii 1.0')
    })

    test('leaves what is there in its version when none is asked for', async () => {
      await packages.install('kit-app', { version: '1.0' })
      await packages.install('kit-app')
      expect(there.installed('kit-app')).toBe('ii 1.0')
    })

    test('brings what is recommended if asked to', async () => {
      await packages.install('kit-app', { recommends: true })
      expect(there.installed('kit-extra')).toBe('ii 1.0')
    })

    test('reads the lists again, once, for a version that they do not know', async () => {
      there.offer(app('3.0'))
      await Promise.all([packages.install('kit-app', { version: '3.0' }), packages.install('kit-other')])
      expect(there.installed('kit-app')).toBe('ii 3.0')
      expect(ranOf('update')).toHaveLength(1)
    })

    test('reads the lists again when the archive has something else by now', async () => {
      there.offer(app('3.0'))
      there.withdraw('kit-app', '2.0')
      await packages.install('kit-app')
      expect(ranOf('update')).toHaveLength(1)
      expect(there.installed('kit-app')).toBe('ii 3.0')
    })

    test('says so when the archive does not have what its lists name', async () => {
      there.withdraw('kit-lib', '1.0')
      const done = Promise.allSettled([packages.install('kit-app'), packages.install('kit-extra')])
      const [lost, fine] = await done
      expect(lost).toMatchObject({
        reason: { code: 'command-failed', message: expect.stringContaining('does not have it any more') },
      })
      expect(fine.status).toBe('fulfilled')
    })

    test.each([
      ['keep', 'mine\n'],
      ['replace', 'delivered with 2.0\n'],
    ] as const)('can %s an edited configuration file', async (configuration, text) => {
      await packages.install('kit-app', { version: '1.0' })
      writeFileSync(there.at('/etc/kit/app.conf'), 'mine\n')
      await packages.install('kit-app', { version: '2.0', configuration })
      expect(readFileSync(there.at('/etc/kit/app.conf'), 'utf8')).toBe(text)
    })

    test('asks nothing and starts no other interface', async () => {
      there.offer({
        name: 'kit-asks',
        version: '1.0',
        scripts: {
          postinst:
            'cat >/opt/asked; echo "$DEBIAN_FRONTEND $NEEDRESTART_SUSPEND $APT_LISTCHANGES_FRONTEND" >>/opt/asked',
        },
      })
      await packages.install('kit-asks')
      expect(readFileSync(there.at('/opt/asked'), 'utf8')).toBe('noninteractive 1 none\n')
    })
  })

  describe('refusing', () => {
    test('what no archive has', async () => {
      await expect(packages.install('kit-nowhere')).rejects.toMatchObject({
        code: 'refused',
        message: 'no archive of the host has a package kit-nowhere',
      })
      expect(ranOf('update')).toHaveLength(1)
    })

    test('a version that nobody has, naming those that there are', async () => {
      await expect(packages.install('kit-app', { version: '9' })).rejects.toMatchObject({
        code: 'refused',
        message: 'kit-app is not to be had in version 9; there is 2.0, 1.0',
      })
    })

    test.each([
      ['kit-mail', 'kit-mail is not a package itself: kit-mail-a, kit-mail-b provide it'],
      ['kit-only', 'kit-only is not a package itself: kit-mail-a provides it'],
    ])('the name %s that others provide', async (name, message) => {
      await expect(packages.install(name)).rejects.toMatchObject({ code: 'refused', message })
      expect(there.installed('kit-mail-a')).toBe('')
    })

    test('to remove what nobody asked for', async () => {
      await packages.install('kit-mail-a')
      await expect(packages.install('kit-mail-b')).rejects.toMatchObject({
        code: 'refused',
        message: 'installing kit-mail-b would also remove kit-mail-a, which nobody has asked for',
      })
      await expect(packages.remove('kit-lib')).resolves.toBeUndefined()
      await packages.install('kit-app')
      await expect(packages.remove('kit-lib')).rejects.toMatchObject({
        message: 'removing kit-lib would also remove kit-app, which nobody has asked for',
      })
      expect(there.installed('kit-app')).toBe('ii 2.0')
    })

    test('to remove what the host cannot do without', async () => {
      await expect(packages.remove('sed')).rejects.toMatchObject({
        code: 'refused',
        message: 'removing sed would remove sed, without which the host does not work',
      })
    })

    test('what needs something that is not to be had', async () => {
      await expect(packages.install('kit-needs-nothing-there')).rejects.toMatchObject({
        code: 'command-failed',
        message: expect.stringContaining('Depends: kit-nowhere but it is not installable'),
      })
    })

    test('only the guilty ones of many', async () => {
      const names = ['kit-extra', 'kit-nowhere', 'kit-needs-nothing-there', 'kit-broken', 'kit-other']
      const results = await Promise.allSettled(names.map((name) => packages.install(name)))
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'rejected',
        'rejected',
        'fulfilled',
      ])
      expect(results[3]).toMatchObject({
        reason: {
          code: 'command-failed',
          message: expect.stringMatching(
            /^installing kit-broken: its post-installation script failed with exit status 3\nno such luck\n/,
          ),
        },
      })
    })

    test('two that exclude each other, and nobody else', async () => {
      const names = ['kit-mail-a', 'kit-extra', 'kit-mail-b']
      const results = await Promise.allSettled(names.map((name) => packages.install(name)))
      expect(results.map(({ status }) => status)).toContain('rejected')
      expect(results[0]).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining('kit-mail-b') },
      })
    })
  })

  describe('removing', () => {
    test('takes along what came along, and leaves nothing', async () => {
      const before = there.run('dpkg', '-l')
      await packages.install('kit-app', { recommends: true })
      expect(remembered()).toEqual({
        asked: { 'kit-app': { configuration: false } },
        along: ['kit-extra', 'kit-lib'],
      })
      expect(await packages.withdraw('kit-app', { purge: true })).toBe(true)
      expect(there.run('dpkg', '-l')).toBe(before)
      expect(remembered()).toBeUndefined()
      expect(existsSync(there.at('/etc/kit'))).toBe(false)
    })

    test('keeps the configuration unless it is to be purged', async () => {
      await packages.install('kit-app')
      await packages.withdraw('kit-app')
      expect(await word('kit-app')).toBe('config-files')
      expect(existsSync(there.at('/etc/kit/app.conf'))).toBe(true)
      await packages.remove('kit-app', { purge: true })
      expect(await word('kit-app')).toBe('not-installed')
    })

    test('leaves what was there before', async () => {
      there.run('apt-get', '-y', '-qq', 'install', 'kit-extra')
      await packages.install('kit-extra')
      expect(await packages.withdraw('kit-extra')).toBe(false)
      expect(there.installed('kit-extra')).toBe('ii 1.0')
    })

    test('leaves what nothing needed before either', async () => {
      there.run('apt-get', '-y', '-qq', 'install', 'kit-leftover')
      there.run('apt-mark', 'auto', 'kit-leftover')
      await packages.install('kit-uses-leftover')
      await packages.withdraw('kit-uses-leftover')
      expect(there.installed('kit-leftover')).toBe('ii 1.0')
    })

    test('takes along with the last what came along with the first', async () => {
      await packages.install('kit-app', { recommends: false })
      await packages.install('kit-other')
      await packages.withdraw('kit-app', { purge: true })
      expect(there.installed('kit-lib')).toBe('ii 1.0')
      await packages.withdraw('kit-other')
      expect(there.installed('kit-lib')).toBe('')
      expect(remembered()).toBeUndefined()
    })

    test('does not take what somebody wants by now', async () => {
      await packages.install('kit-app', { recommends: false })
      there.run('apt-mark', 'manual', 'kit-lib')
      await packages.withdraw('kit-app', { purge: true })
      expect(there.installed('kit-lib')).toBe('ii 1.0')
    })

    test('of one that was unwanted all of a sudden takes along what it had brought', async () => {
      await packages.install('kit-app', { recommends: false })
      await packages.remove('kit-app', { purge: true })
      expect(there.installed('kit-lib')).toBe('')
      expect(remembered()).toBeUndefined()
    })

    test('is not what becomes of one that is put back', async () => {
      there.run('apt-get', '-y', '-qq', 'install', 'kit-extra')
      await packages.remove('kit-extra')
      await packages.install('kit-extra', { putBack: true })
      expect(await packages.withdraw('kit-extra')).toBe(false)
      expect(remembered()).toBeUndefined()
    })

    test('goes together with installing what takes its place', async () => {
      await packages.install('kit-mail-a')
      await Promise.all([packages.remove('kit-mail-a'), packages.install('kit-mail-b')])
      expect([there.installed('kit-mail-a'), there.installed('kit-mail-b')]).toEqual(['', 'ii 1.0'])
    })
  })

  describe('a hold', () => {
    test('is set, seen and lifted', async () => {
      await packages.install('kit-extra')
      await packages.setHeld('kit-extra', true)
      expect(await packages.look('kit-extra')).toMatchObject({ held: true, status: 'installed' })
      expect(there.run('apt-mark', 'showhold')).toBe('kit-extra\n')
      await packages.setHeld('kit-extra', false)
      expect(there.run('apt-mark', 'showhold')).toBe('')
    })

    test('by somebody else keeps a package from being removed', async () => {
      await packages.install('kit-extra')
      there.run('apt-mark', 'hold', 'kit-extra')
      await expect(packages.withdraw('kit-extra')).rejects.toMatchObject({
        message: expect.stringContaining('it would change a package that is held'),
      })
      expect(await packages.withdraw('kit-extra', { held: true })).toBe(true)
    })
  })

  describe('somebody else at work', () => {
    // Where programs are looked up by their numbers.
    beforeAll(() => void execFileSync('mount', ['-t', 'proc', 'proc', there.at('/proc')]))
    afterAll(() => void execFileSync('umount', [there.at('/proc')]))
    const lockFiles = ['/var/lib/dpkg/lock-frontend', '/var/lib/dpkg/lock', '/var/cache/apt/archives/lock']

    test.each(lockFiles)('is waited for, by name, while %s is held', async (path) => {
      const holder = await hold(there.at(path))
      const told: string[] = []
      const done = packages.install('kit-extra', {
        progress: (message) => {
          told.push(message)
          if (message.startsWith('waiting')) holder.kill()
        },
      })
      await done
      expect(told[0]).toBe(`waiting for perl (pid ${holder.pid}), which is changing packages`)
      expect(there.installed('kit-extra')).toBe('ii 1.0')
    })

    test('is named when it does not end', async () => {
      open(600)
      const holder = await hold(there.at('/var/lib/dpkg/lock-frontend'))
      await expect(packages.install('kit-extra')).rejects.toMatchObject({
        code: 'locked',
        message: `perl (pid ${holder.pid}) is changing packages (it holds /var/lib/dpkg/lock-frontend), and has not ended after 1 s`,
      })
      await expect(packages.setHeld('sed', true)).rejects.toMatchObject({ code: 'locked' })
    })

    test('is waited for when the lists are read', async () => {
      there.offer({ name: 'kit-new', version: '1.0' })
      const holder = await hold(there.at('/var/lib/apt/lists/lock'))
      await packages.install('kit-new', {
        progress: (message) => void (message.startsWith('waiting') && holder.kill()),
      })
      expect(there.installed('kit-new')).toBe('ii 1.0')
    })
  })

  describe('a kill', () => {
    test('in the middle of a script is made good by the next change', async () => {
      const first = new AbortController()
      const killed = packages.install('kit-slow', { signal: first.signal })
      await until(() => existsSync(there.at('/opt/slow-runs')))
      const runs = pidsOf('apt-get', there.root)
      for (const pid of [...pidsOf('dpkg', there.root), ...runs]) process.kill(pid, 'SIGKILL')
      first.abort()
      await expect(killed).rejects.toMatchObject({ code: 'interrupted' })
      open()
      expect(await packages.look('kit-slow')).toMatchObject({ status: 'broken', word: 'half-configured' })

      writeFileSync(there.at('/opt/slow-ends'), '')
      await packages.install('kit-slow')
      expect(there.installed('kit-slow')).toBe('ii 1.0')
    })

    test.each([
      ['of a new one', undefined, 'made good'],
      ['of a new version', '1.0', 'made good'],
      ['of a new one', undefined, 'taken back'],
    ])('while it was unpacked, %s (before: %s), is %s', async (_, before, becomes) => {
      const slow = (version: string) => ({
        name: 'kit-unpacks',
        version,
        files: { '/opt/kit-unpacks/version': version },
        scripts: { preinst: '[ -e /opt/quick ] || { touch /opt/unpacks; sleep 60; }' },
      })
      there.offer(slow('1.0'), slow('2.0'))
      if (before !== undefined) {
        writeFileSync(there.at('/opt/quick'), '')
        await packages.install('kit-unpacks', { version: before })
        rmSync(there.at('/opt/quick'))
      }
      const first = new AbortController()
      const killed = packages.install('kit-unpacks', { version: '2.0', signal: first.signal })
      await until(() => existsSync(there.at('/opt/unpacks')))
      for (const pid of [...pidsOf('dpkg', there.root), ...pidsOf('apt-get', there.root)])
        process.kill(pid, 'SIGKILL')
      first.abort()
      await expect(killed).rejects.toMatchObject({ code: 'interrupted' })
      open()
      expect(await packages.look('kit-unpacks')).toMatchObject({ status: 'broken', word: 'half-installed' })
      if (becomes === 'made good') {
        writeFileSync(there.at('/opt/quick'), '')
        await packages.install('kit-unpacks')
        expect(there.installed('kit-unpacks')).toMatch(/^ii [12]\.0$/)
      }
      expect(await packages.withdraw('kit-unpacks', { purge: true })).toBe(true)
      expect(remembered()).toBeUndefined()
    })

    test('that left the journal of dpkg behind is made good too', async () => {
      mkdirSync(there.at('/var/lib/dpkg/updates'), { recursive: true })
      writeFileSync(there.at('/var/lib/dpkg/updates/0000'), '')
      await packages.install('kit-extra')
      expect(there.installed('kit-extra')).toBe('ii 1.0')
    })

    test('between a removal and what came along is made good by the next', async () => {
      await packages.install('kit-app', { recommends: false })
      there.run('apt-get', '-y', '-qq', 'purge', 'kit-app')
      expect(await packages.withdraw('kit-app', { purge: true })).toBe(true)
      expect(there.installed('kit-lib')).toBe('')
      expect(remembered()).toBeUndefined()
    })
  })

  test('a script that failed is run again by the next change, and the package removed if it must', async () => {
    await expect(packages.install('kit-broken')).rejects.toMatchObject({ code: 'command-failed' })
    expect(await packages.look('kit-broken')).toMatchObject({ status: 'broken', word: 'half-configured' })
    // Others are not held up by it.
    await packages.install('kit-extra')
    expect(await packages.withdraw('kit-broken', { purge: true })).toBe(true)
    expect(there.installed('kit-broken')).toBe('')
  })

  test('a full disk is called that', async () => {
    const cache = there.at('/var/cache/apt/archives')
    there.offer({ name: 'kit-large', version: '1.0', files: { '/opt/large': 'x'.repeat(8 * 1024 * 1024) } })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', cache])
    onTestFinished(() => void execFileSync('umount', [cache]))
    await expect(packages.install('kit-large')).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringMatching(/there is no space left in|the disk is full/),
    })
  })

  test('an archive that cannot be reached is called that', async () => {
    writeFileSync(there.at('/etc/apt/sources.list'), 'deb [trusted=yes] http://127.0.0.1:9/ ./\n')
    rmSync(there.at('/var/lib/apt/lists'), { recursive: true })
    await expect(packages.install('kit-app')).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(
        /no archive of the host has a package kit-app\nthe lists of the archives could not be read again:[\s\S]*127\.0\.0\.1/,
      ),
    })
  })

  test('an archive without a signature is called that', async () => {
    writeFileSync(there.at('/etc/apt/sources.list'), 'deb [allow-insecure=yes] file:/srv/archive ./\n')
    rmSync(there.at('/var/lib/apt/lists'), { recursive: true })
    await expect(packages.install('kit-app')).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringContaining('is not signed by a key that the host trusts'),
    })
  })
})

/** Somebody who holds a lock as apt does. */
async function hold(path: string): Promise<ChildProcess> {
  const script = `use Fcntl; open(my $f, '+>>', $ARGV[0]) or die; my $l = pack('s s l! l! i', F_WRLCK, 0, 0, 0, 0);
    fcntl($f, F_SETLK, $l) or die "lock: $!"; $| = 1; print "held\\n"; sleep 120;`
  const child = spawn('perl', ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill())
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return child
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Programs of a name that run within a root. */
function pidsOf(name: string, root: string): readonly number[] {
  const listed = execFileSync(
    'sh',
    [
      '-c',
      'for p in /proc/[0-9]*; do echo "${p#/proc/} $(cat $p/comm 2>/dev/null) $(readlink $p/root)"; done',
    ],
    {
      encoding: 'utf8',
    },
  )
  return listed.split('\n').flatMap((line) => {
    const [pid, comm, at] = line.split(' ')
    return comm === name && at === root ? [Number(pid)] : []
  })
}
