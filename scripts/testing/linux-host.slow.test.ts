import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { engine } from './engine.ts'
import { type HostUser, type LinuxHost, linuxHosts, startLinuxHost } from './linux-host.ts'
import { startRelay } from './relay.ts'
import { describeWith } from './require-part.ts'

const run = promisify(execFile)

/** Runs a command on a host with the machine's own client, which trusts nothing but the key that was told. */
async function ssh(
  host: LinuxHost,
  user: HostUser,
  command: string,
  { port = host.port, hostKey = host.hostKey, options = [] as readonly string[] } = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'harmony-test-'))
  try {
    const knownHosts = join(folder, 'known_hosts')
    writeFileSync(knownHosts, `${hostKey}\n`)
    const { stdout, stderr } = await run('ssh', [
      ...['-F', 'none', '-i', host.keyFile, '-p', `${port}`],
      ...['IdentitiesOnly=yes', 'BatchMode=yes', 'StrictHostKeyChecking=yes', 'GlobalKnownHostsFile=none']
        .concat(`UserKnownHostsFile=${knownHosts}`, options)
        .flatMap((option) => ['-o', option]),
      `${user}@127.0.0.1`,
      command,
    ])
    return { status: 0, text: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { status: code, text: stdout + stderr }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Where this machine still knows of a host: containers, networks, control groups, its folder. */
async function traces({ containerId, keyFile }: Pick<LinuxHost, 'containerId' | 'keyFile'>) {
  const docker = await engine()
  const containers = await docker.listContainers({ all: true })
  const networks: { readonly Name: string; readonly Containers?: Record<string, unknown> | undefined }[] =
    await Promise.all(
      // Another file may be removing one of its own.
      (await docker.listNetworks()).map(({ Id, Name }) =>
        docker
          .getNetwork(Id)
          .inspect()
          .catch(() => ({ Name })),
      ),
    )
  return [
    ...containers.filter(({ Id }) => Id === containerId).map(({ Id }) => `container ${Id}`),
    ...networks.filter(({ Containers }) => Containers?.[containerId]).map(({ Name }) => `network ${Name}`),
    ...['systemd', 'memory', 'unified', '.']
      .map((tree) => `/sys/fs/cgroup/${tree}/docker/${containerId}`)
      .filter((path) => existsSync(path)),
    ...[dirname(keyFile)].filter((path) => existsSync(path)),
  ]
}

describeWith(linuxHosts, 'a Linux host', () => {
  let host: LinuxHost
  beforeAll(async () => {
    host = await startLinuxHost()
  })
  afterAll(() => host[Symbol.asyncDispose]())

  test('runs systemd, and no unit failed', async () => {
    expect(host.failedUnits).toEqual([])
    expect(await host.exec(['systemctl', 'is-system-running'])).toEqual({
      exitCode: 0,
      stdout: 'running\n',
      stderr: '',
    })
    expect(await host.exec(['busctl', 'status'])).toMatchObject({ exitCode: 0 })
  })

  test('runs what is asked for behind the back, with its status and both streams', async () => {
    expect(await host.exec(['sh', '-c', 'printf out; printf err >&2; exit 3'])).toEqual({
      exitCode: 3,
      stdout: 'out',
      stderr: 'err',
    })
    const { stdout } = await host.exec(['head', '-c', '1000000', '/dev/zero'])
    expect(stdout.length).toBe(1_000_000)
  })

  test.each(['root', 'pi', 'admin'] as const)('lets %s in with the key', async (user) => {
    expect(await ssh(host, user, 'id -un')).toEqual({ status: 0, text: `${user}\n` })
  })

  test('keeps the private key to the one who runs the tests', () => {
    expect(statSync(host.keyFile).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(host.keyFile)).mode & 0o777).toBe(0o700)
  })

  test('lets pi be root without a password, and admin only with theirs', async () => {
    expect(await ssh(host, 'pi', 'sudo -n id -u')).toEqual({ status: 0, text: '0\n' })
    expect(await ssh(host, 'admin', 'sudo -n id -u')).toMatchObject({ status: 1 })
    expect(await ssh(host, 'admin', `echo ${host.adminPassword} | sudo -S -p '' id -u`)).toEqual({
      status: 0,
      text: '0\n',
    })
  })

  test('has SFTP, and no Python', async () => {
    expect(await ssh(host, 'root', 'test -x /usr/lib/openssh/sftp-server')).toMatchObject({ status: 0 })
    expect(await ssh(host, 'root', 'ls /usr/bin/python*')).toMatchObject({ status: 2 })
  })

  test('is refused by a client that knows another key of it', async () => {
    await using other = await startLinuxHost()
    const [, ...theirs] = other.hostKey.split(' ')
    const hostKey = [`[127.0.0.1]:${host.port}`, ...theirs].join(' ')
    const { status, text } = await ssh(host, 'root', 'id', { hostKey })
    expect(status).toBe(255)
    expect(text).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED')
  })

  test('lets files be replaced that engines mount over', async () => {
    for (const file of ['/etc/hostname', '/etc/hosts']) {
      const { stdout } = await host.exec([
        'sh',
        '-c',
        `cp ${file} ${file}.new && mv ${file}.new ${file} && cat ${file}`,
      ])
      expect(stdout).toContain(host.name)
    }
  })

  test('may change settings of its network, and none of the machine', async () => {
    expect(await host.exec(['sysctl', '-w', 'net.ipv4.ip_forward=0'])).toMatchObject({ exitCode: 0 })
    expect((await host.exec(['sysctl', '-w', 'vm.swappiness=7'])).stderr).toContain('permission denied')
  })

  test('can lose its network and get it back', async () => {
    const before = await host.address()
    expect(before).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
    await host.disconnectNetwork()
    await expect(host.address()).rejects.toThrow('has no network')
    expect((await ssh(host, 'root', 'id', { options: ['ConnectTimeout=2'] })).status).toBe(255)
    await host.reconnectNetwork()
    expect(await ssh(host, 'root', 'id -un')).toEqual({ status: 0, text: 'root\n' })
  })

  test('can be frozen, and goes on as if nothing had been', async () => {
    await host.pause()
    const login = ssh(host, 'root', 'id -un')
    const [{ State }] = await Promise.all([(await engine()).getContainer(host.containerId).inspect()])
    expect(State.Paused).toBe(true)
    await host.unpause()
    expect(await login).toEqual({ status: 0, text: 'root\n' })
  })

  test('keeps its files, its key and its port over a pulled plug', async () => {
    await host.exec(['sh', '-c', 'echo kept >/etc/kept; echo renamed >/etc/hostname; echo gone >/run/gone'])
    const { stdout: machine } = await host.exec(['cat', '/etc/machine-id'])
    await host.kill()
    expect((await ssh(host, 'root', 'id')).status).toBe(255)
    await host.start()
    expect(await ssh(host, 'root', 'cat /etc/kept /etc/hostname /run/gone')).toEqual({
      status: 1,
      text: 'kept\nrenamed\ncat: /run/gone: No such file or directory\n',
    })
    expect((await host.exec(['cat', '/etc/machine-id'])).stdout).toBe(machine)
  })

  test('starts again after it was shut down from within', async () => {
    const stopped = (await engine()).getContainer(host.containerId).wait({ condition: 'not-running' })
    await host.exec(['systemctl', 'poweroff'])
    await stopped
    await host.start()
    expect(await ssh(host, 'pi', 'id -un')).toEqual({ status: 0, text: 'pi\n' })
  })

  test('tells units that fail while it starts', async () => {
    await using other = await startLinuxHost()
    await other.exec([
      'sh',
      '-c',
      'printf "[Service]\\nExecStart=/bin/false\\n[Install]\\nWantedBy=multi-user.target\\n" >/etc/systemd/system/bad.service; systemctl enable bad',
    ])
    await other.kill()
    await other.start()
    expect(other.failedUnits).toEqual(['bad.service'])
  })

  test('lets in with the key only who is asked for', async () => {
    await using other = await startLinuxHost({ users: ['pi'] })
    expect(await ssh(other, 'pi', 'id -un')).toMatchObject({ status: 0 })
    expect(await ssh(other, 'root', 'id -un')).toMatchObject({ status: 255 })
  })

  test('reaches the engine when it is asked to', async () => {
    await using other = await startLinuxHost({ withEngine: true })
    const { stdout } = await other.exec(['stat', '-c', '%F', '/var/run/docker.sock'])
    expect(stdout).toBe('socket\n')
    expect(await host.exec(['test', '-e', '/var/run/docker.sock'])).toMatchObject({ exitCode: 1 })
  })

  test('stands beside others that start and end services of the same name', async () => {
    const others = await Promise.all([startLinuxHost(), startLinuxHost(), startLinuxHost()])
    await using stack = new AsyncDisposableStack()
    for (const other of others) stack.use(other)
    const [first, second] = others
    expect(await first.exec(['systemctl', 'restart', 'dbus', 'ssh'])).toMatchObject({
      exitCode: 0,
      stderr: '',
    })
    expect(await first.exec(['systemctl', 'stop', 'ssh'])).toMatchObject({ exitCode: 0 })
    expect(await second.exec(['systemctl', 'is-active', 'ssh'])).toMatchObject({ stdout: 'active\n' })
    expect(await ssh(second, 'root', 'id -un')).toMatchObject({ status: 0 })
  })

  describe('behind a relay', () => {
    test('answers late, after as many round trips as SSH needs', async () => {
      await using relay = await startRelay({ to: host.port, latencyMs: 20 })
      const hostKey = host.hostKey.replace(`:${host.port} `, `:${relay.port} `)
      const began = performance.now()
      expect(await ssh(host, 'root', 'id -un', { port: relay.port, hostKey })).toMatchObject({ status: 0 })
      const { roundTrips, connections } = relay.counters
      expect(connections).toBe(1)
      expect(roundTrips).toBeGreaterThan(4)
      expect(performance.now() - began).toBeGreaterThanOrEqual(roundTrips * 40)
    })

    test('cannot be reached while it is cut, and can again', async () => {
      await using relay = await startRelay({ to: host.port })
      const hostKey = host.hostKey.replace(`:${host.port} `, `:${relay.port} `)
      await relay.cut()
      expect(await ssh(host, 'root', 'id -un', { port: relay.port, hostKey })).toMatchObject({
        status: 255,
        text: expect.stringContaining('Connection refused'),
      })
      await relay.heal()
      expect(await ssh(host, 'root', 'id -un', { port: relay.port, hostKey })).toMatchObject({ status: 0 })
    })
  })
})

describeWith(linuxHosts, 'of a Linux host nothing is left', () => {
  test('when it is disposed of', async () => {
    const host = await startLinuxHost()
    expect(await traces(host)).toEqual(
      expect.arrayContaining([`container ${host.containerId}`, 'network bridge', dirname(host.keyFile)]),
    )
    await host[Symbol.asyncDispose]()
    expect(await traces(host)).toEqual([])
  })

  test('when the test throws', async () => {
    let started: LinuxHost | undefined
    const testThatThrows = async () => {
      await using host = await startLinuxHost()
      started = host
      throw new Error('the test failed')
    }
    await expect(testThatThrows()).rejects.toThrow('the test failed')
    if (started === undefined) throw new Error('no host was started')
    expect(await traces(started)).toEqual([])
  })

  test('when it is frozen, cut off or without power', async () => {
    const hosts = await Promise.all([startLinuxHost(), startLinuxHost(), startLinuxHost()])
    const [frozen, cutOff, dead] = hosts
    await Promise.all([frozen.pause(), cutOff.disconnectNetwork(), dead.kill()])
    await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()))
    expect((await Promise.all(hosts.map(traces))).flat()).toEqual([])
  })

  test('when it does not come up', async () => {
    await expect(startLinuxHost({ users: ['nobody there' as 'root'] })).rejects.toThrow(
      /nobody can be let into host-\w+: id: .nobody there.: no such user/,
    )
    const mine = `.${process.pid}.`
    const docker = await engine()
    const containers = await docker.listContainers({ all: true, filters: { label: ['harmony.test-host'] } })
    expect(containers.filter(({ Labels }) => Labels['harmony.test-host']?.includes(mine))).toEqual([])
    expect(
      readdirSync(tmpdir()).filter((name) => name.startsWith('harmony-host-') && name.includes(mine)),
    ).toEqual([])
  })

  test('after a run that was killed, once another one starts a host', async () => {
    const script = `
      const { startLinuxHost } = await import(${JSON.stringify(join(import.meta.dirname, 'linux-host.ts'))})
      const { containerId, keyFile } = await startLinuxHost()
      process.stdout.write(JSON.stringify({ containerId, keyFile }), () => process.kill(process.pid, 'SIGKILL'))`
    const killed = await run(process.execPath, ['--input-type=module', '-e', script]).catch(
      (error: { signal: string; stdout: string }) => error,
    )
    expect(killed).toMatchObject({ signal: 'SIGKILL' })
    const left = JSON.parse(killed.stdout) as { containerId: string; keyFile: string }
    expect(await traces(left)).toContain(`container ${left.containerId}`)
    expect(await traces(left)).toContain(dirname(left.keyFile))
    await using _ = await startLinuxHost()
    expect(await traces(left)).toEqual([])
  })
})
