/** sudo as Debian has it: who may, who may with a password, who may not; and what of it gets into bytes and arguments. */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Host } from '@harmony-iac/core/host'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type LinuxHost, linuxHosts, startLinuxHost } from '../../../../../../scripts/testing/linux-host.ts'
import { describeWith } from '../../../../../../scripts/testing/require-part.ts'
import { hostPromises } from '../../../../test/host-promises.ts'
import { root } from '../../../../test/scratch.ts'
import type { Endpoint } from '../connect.ts'
import { Connection } from '../connection.ts'
import { listen } from '../facts.ts'
import { sshHost } from '../host.ts'
import { commandLine } from '../quote.ts'
import { type AskPassword, becomeRoot } from './sudo.ts'

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()

describeWith(linuxHosts, 'by sudo', () => {
  let machine: LinuxHost
  let shared: string
  const temporary = process.env.TMPDIR

  beforeAll(async () => {
    shared = realpathSync(mkdtempSync(join(tmpdir(), 'harmony-shared-')))
    machine = await startLinuxHost({ shares: [shared] })
    // What tests make for a host to find is made where it has the same folder.
    process.env.TMPDIR = shared
    await asRoot(
      `useradd --create-home --shell /bin/bash nobodys; echo nobodys:${machine.adminPassword} | chpasswd
useradd --create-home --shell /bin/bash seated; printf '%s\n' 'seated ALL=(ALL) NOPASSWD: ALL' 'Defaults:seated requiretty' >/etc/sudoers.d/seated
for user in nobodys seated; do cp -r /home/pi/.ssh /home/$user/.ssh; chown -R $user: /home/$user/.ssh; done`,
    )
  })
  afterAll(async () => {
    if (temporary === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = temporary
    await machine?.[Symbol.asyncDispose]()
    rmSync(shared, { recursive: true, force: true })
  })

  /** Runs a script behind Harmony's back. */
  async function asRoot(script: string): Promise<string> {
    const { exitCode, stdout, stderr } = await machine.exec(['sh', '-c', script])
    if (exitCode !== 0) throw new Error(`${script}: ${stderr}`)
    return stdout
  }

  const endpoint = (user: string): Endpoint => ({
    name: `${user}@machine`,
    host: '127.0.0.1',
    port: machine.port,
    user,
    checkHostKey() {},
    credentials: [async () => ({ type: 'key', key: readFileSync(machine.keyFile) })],
  })

  /** A host whose user gives these answers, one after the other; and what was refused. */
  function hostOf(user: string, ...answers: readonly string[]) {
    const refused: (string | undefined)[] = []
    const left = [...answers]
    const ask: AskPassword = async (_endpoint, before) => {
      refused.push(before)
      const answer = left.shift()
      if (answer === undefined) throw new Error('asked too often')
      return answer
    }
    const host = sshHost(`${user}@machine`, async () => endpoint(user), ask)
    onTestFinished(() => host.close())
    return { host, refused }
  }

  describeWith(root, 'every promise of a host holds', () => {
    let hosts: readonly Host[]
    beforeAll(() => {
      hosts = [
        sshHost(
          'pi',
          async () => endpoint('pi'),
          async () => 'needs none',
        ),
        sshHost(
          'admin',
          async () => endpoint('admin'),
          async () => machine.adminPassword,
        ),
      ]
    })
    afterAll(async () => {
      for (const host of hosts) await host.close()
    })
    hostPromises('a host by sudo without a password', () => hosts[0] as Host)
    hostPromises('a host by sudo with a password', () => hosts[1] as Host)
  })

  describe('whoever logs in works as root', () => {
    test('without being asked, where sudo wants no password', async () => {
      const { host, refused } = hostOf('pi')
      expect(await host.facts()).toMatchObject({ uid: 0, gid: 0, home: '/root' })
      expect(text((await host.exec(['id', '-un'])).stdout)).toBe('root\n')
      expect((await host.files.read('/etc/shadow', 100_000))?.bytes?.length).toBeGreaterThan(0)
      expect(refused).toEqual([])
    })

    test('without sudo, who is root already', async () => {
      const { host, refused } = hostOf('root')
      expect(await host.facts()).toMatchObject({ uid: 0 })
      await host.exec(['true'])
      expect(await asRoot('journalctl -q _COMM=sudo --grep "root : .*COMMAND" | wc -l')).toBe('0\n')
      expect(refused).toEqual([])
    })

    test('after a wrong password with the right one, which stands in no argument and no environment', async () => {
      const { host, refused } = hostOf('admin', 'wrong', machine.adminPassword)
      const heard: string[] = []
      const look = `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; cat`
      await host.exec(['sh', '-c', look], {
        stdin: 'mine',
        outputLimit: 1_000_000,
        onOutput: (_, chunk) => heard.push(Buffer.from(chunk).toString()),
      })
      expect(refused).toEqual([undefined, 'wrong'])
      expect(heard.join('')).toContain('sudo\n-H\n-S')
      expect(heard.join('')).not.toContain(machine.adminPassword)
      expect(heard.join('').endsWith('mine')).toBe(true)
      expect(await asRoot(`journalctl -q --grep '${machine.adminPassword}' | wc -l`)).toBe('0\n')
    })

    test('and leaves no ticket by which others could become root', async () => {
      const connection = await Connection.open(endpoint('admin'))
      onTestFinished(() => connection.close())
      const { access } = await becomeRoot(connection, async () => machine.adminPassword)
      await (await access?.session(['true'], listen))?.said
      // Of the same connection, which is as near as others come.
      const { said } = await connection.session(
        commandLine(['env', 'LC_ALL=C', 'sudo', '-n', 'true']),
        listen,
      )
      expect(await said).toMatchObject({ status: 1, err: 'sudo: a password is required\n' })
    })

    test('whatever is printed before: a lecture, the prompt, the files of the login shell', async () => {
      await asRoot(
        `echo 'Defaults lecture=always' >/etc/sudoers.d/lecture; sed -i '1i echo noise; echo noise >&2' /home/admin/.bashrc`,
      )
      onTestFinished(async () => {
        await asRoot('rm /etc/sudoers.d/lecture; sed -i 1d /home/admin/.bashrc')
      })
      const { host } = hostOf('admin', machine.adminPassword)
      const result = await host.exec(['sh', '-c', 'echo out; echo err >&2'])
      expect([text(result.stdout), text(result.stderr)]).toEqual(['out\n', 'err\n'])
      expect(text((await host.files.read('/etc/hostname', 100))?.bytes)).toBe(`${machine.name}\n`)
      const bus = await host.dial('/run/dbus/system_bus_socket')
      const greeting = new Promise((resolve) => bus.once('data', (chunk) => resolve(String(chunk))))
      bus.write('\0AUTH EXTERNAL 30\r\n') // 30 is "0" in hexadecimal: root
      expect(await greeting).toMatch(/^OK /)
      bus.destroy()
    })

    test.each(['admin', 'pi'])(
      'also where sudo keeps a record of all that goes in and out: %s',
      async (user) => {
        await asRoot(`echo 'Defaults log_input, log_output, use_pty' >/etc/sudoers.d/record`)
        onTestFinished(async () => {
          await asRoot('rm /etc/sudoers.d/record')
        })
        const { host } = hostOf(user, machine.adminPassword)
        // A few bytes: of many, sudo 1.9.13 itself may lose the last when it records them, without us too.
        expect(text((await host.exec(['cat'], { stdin: 'mine' })).stdout)).toBe('mine')
        expect(text((await host.files.read('/etc/hostname', 100))?.bytes)).toBe(`${machine.name}\n`)
        const killed = await host.exec(['sh', '-c', 'sleep 3001 & sleep 3001'], { timeoutMs: 300 })
        expect(killed).toMatchObject({ timedOut: true, exitCode: null, signal: 'SIGTERM' })
        expect(await asRoot("ps -eo args | grep -c '^sleep 3001' || true")).toBe('0\n')
      },
    )
  })

  describe('and is told why not', () => {
    test.each([
      [
        'a wrong password, three times',
        'admin',
        ['a', 'b', 'c'],
        'sudo does not accept the password of admin',
        'ssh -t',
      ],
      [
        'no right to sudo',
        'nobodys',
        ['PASSWORD'],
        'nobodys is not in the sudoers file',
        'adduser nobodys sudo',
      ],
      [
        'a sudo that wants a terminal',
        'seated',
        [],
        'sudo wants a terminal: sudo: sorry, you must have a tty',
        'Defaults:seated !requiretty',
      ],
    ])('%s', async (_, user, answers, words, hint) => {
      const given = answers.map((answer) => (answer === 'PASSWORD' ? machine.adminPassword : answer))
      const error = await hostOf(user, ...given)
        .host.facts()
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({
        code: 'auth-failed',
        message: expect.stringContaining(words),
        hint: expect.stringContaining(hint),
      })
      for (const each of given)
        if (each.length > 1) expect(JSON.stringify({ ...(error as Error) })).not.toContain(each)
    })

    test('no sudo', async () => {
      await asRoot('mv /usr/bin/sudo /usr/bin/sudo.away')
      onTestFinished(async () => {
        await asRoot('mv /usr/bin/sudo.away /usr/bin/sudo')
      })
      await expect(hostOf('pi').host.facts()).rejects.toMatchObject({
        code: 'auth-failed',
        message: 'pi@machine: there is no sudo',
      })
    })

    test('a rule for some commands only', async () => {
      await asRoot(
        `useradd --create-home --shell /bin/bash partly; cp -r /home/pi/.ssh /home/partly/; chown -R partly: /home/partly/.ssh
echo 'partly ALL=(ALL) NOPASSWD: /usr/bin/true' >/etc/sudoers.d/partly; echo partly:secret1 | chpasswd`,
      )
      await expect(hostOf('partly', 'secret1').host.facts()).rejects.toMatchObject({
        code: 'auth-failed',
        message: `partly@machine: partly may not become root by sudo: Sorry, user partly is not allowed to execute what Harmony runs (/bin/sh) as root on ${machine.name}.`,
        hint: expect.stringContaining('a rule for some commands is not enough'),
      })
    })
  })

  describe('what changes while it works', () => {
    test('a password: what runs is told, and the next call asks anew', async () => {
      const { host, refused } = hostOf('admin', machine.adminPassword, machine.adminPassword, 'new-one')
      await host.facts()
      await asRoot('echo admin:new-one | chpasswd')
      onTestFinished(async () => {
        await asRoot(`echo 'admin:${machine.adminPassword}' | chpasswd`)
      })
      await expect(host.exec(['cat'], { stdin: 'secret of the program' })).rejects.toMatchObject({
        code: 'auth-failed',
        message: expect.stringContaining('does not accept the password'),
      })
      expect(text((await host.exec(['cat'], { stdin: 'mine' })).stdout)).toBe('mine')
      expect(refused).toEqual([undefined, undefined, machine.adminPassword])
    })

    test('a rule, so that no password is wanted: then no program gets to read it', async () => {
      const { host } = hostOf('admin', machine.adminPassword)
      await host.facts()
      await asRoot(`echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/zz-admin`)
      onTestFinished(async () => {
        await asRoot('rm /etc/sudoers.d/zz-admin')
      })
      expect(text((await host.exec(['cat'], { stdin: 'mine' })).stdout)).toBe('mine')
      expect(text((await host.exec(['cat'])).stdout)).toBe('')
    })

    test('the connection, which takes everything with it that ran as root', async () => {
      const { host } = hostOf('pi')
      const folder = await host.files.pin('/root')
      await folder.sync()
      await host.lock('/root/lock', { holder: 'me', waitMs: 0 })
      const bus = await host.dial('/run/dbus/system_bus_socket')
      bus.on('error', () => {})
      const ours = `ps -eo user:20,args | grep -E 'sudo -H|sftp-server|flock|IO::Poll|perl' | grep -v grep | grep -c . || true`
      expect(Number(await asRoot(ours))).toBeGreaterThan(5)
      await asRoot(`pkill -KILL -f '[s]shd: pi@notty'`)
      await expect.poll(async () => Number(await asRoot(ours)), { timeout: 10_000 }).toBe(0)
    })
  })

  describe('sockets that only root may open', () => {
    /** Takes programs away until the test is over. */
    async function without(...programs: readonly string[]) {
      for (const program of programs) await asRoot(`mv ${program} ${program}.away`)
      onTestFinished(async () => {
        for (const program of programs) await asRoot(`mv ${program}.away ${program}`)
      })
    }

    test('are reached without Perl and Python where they have a program of their own', async () => {
      await without('/usr/bin/perl')
      const { host } = hostOf('pi')
      const bus = await host.dial('/run/dbus/system_bus_socket')
      const greeting = new Promise((resolve) => bus.once('data', (chunk) => resolve(String(chunk))))
      bus.write('\0AUTH EXTERNAL 30\r\n')
      expect(await greeting).toMatch(/^OK |^REJECTED/)
      bus.destroy()
      await expect(host.dial('/run/none')).rejects.toMatchObject({ code: 'unreachable' })
      await expect(host.dial('/run/systemd/private')).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('nothing on pi@machine can reach this socket as root'),
        hint: expect.stringContaining('perl-base'),
      })
    })
  })
})
