import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import type { Host, HostLock } from '@harmony-iac/core/host'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  type PlainContainer,
  type PlainSystem,
  plainContainers,
  startPlainContainer,
} from '../../../../../scripts/testing/plain-container.ts'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { hostPromises } from '../../../test/host-promises.ts'
import { scratch } from '../../../test/scratch.ts'
import { localHost } from '../local.ts'
import { ContainerConnection } from './connection.ts'
import { inContainer } from './container.ts'
import { engineClient } from './engine.ts'
import { containerHost } from './host.ts'

describe.each<PlainSystem>(['debian', 'busybox'])('a container of %s', (system) => {
  describeWith(plainContainers[system], 'by the engine', () => {
    let plain: PlainContainer
    let host: Host
    beforeAll(async () => {
      plain = await startPlainContainer(system)
      host = inContainer(plain.name, { socket: plain.socket })
    })
    afterAll(async () => {
      await host?.close()
      await plain?.[Symbol.asyncDispose]()
    })

    hostPromises(`a container of ${system}`, () => host)

    test('many small files at once cost few programs', async () => {
      const dir = scratch()
      const names = Array.from({ length: 1000 }, (_, i) => `f ${i}`)
      for (const name of names) writeFileSync(`${dir}/${name}`, `content of ${name}`)
      const found = await Promise.all(names.map((name) => host.files.read(`${dir}/${name}`, 1000)))
      expect(found.map((each) => String(Buffer.from(each?.bytes ?? [])))).toEqual(
        names.map((name) => `content of ${name}`),
      )
    })

    test.each(['two\nlines', "it's", 'a|b', '-n', 'ä☂', '\\0101', ' ', '*', 'end\n'])(
      'a file of the name %j is like any other',
      async (name) => {
        const dir = scratch()
        const folder = await host.files.pin(dir)
        await folder.create(name, Buffer.from(name), { mode: 0o644 })
        await folder.append(name, Buffer.from('!'))
        expect(readFileSync(`${dir}/${name}`, 'utf8')).toBe(`${name}!`)
        expect(await host.files.readdir(dir)).toEqual([name])
        expect(Buffer.from((await host.files.read(`${dir}/${name}`, 100))?.bytes ?? []).toString()).toBe(
          `${name}!`,
        )
        expect(await host.files.realpath(`${dir}/${name}`)).toBe(`${dir}/${name}`)
        await folder.symlink(name, 'link')
        expect(await host.files.readlink(`${dir}/link`)).toBe(name)
        await folder.rename(name, 'other')
        await folder.unlink('other')
        await folder.unlink('link')
        expect(readdirSync(dir)).toEqual([])
      },
    )

    test('a link that takes the place of a pinned folder is refused, and nothing is written through it', async () => {
      const dir = scratch()
      mkdirSync(`${dir}/real`)
      mkdirSync(`${dir}/trap`)
      const folder = await host.files.pin(`${dir}/real`)
      renameSync(`${dir}/real`, `${dir}/moved`)
      symlinkSync('trap', `${dir}/real`)
      for (const change of [
        () => folder.create('f', Buffer.from('x'), {}),
        () => folder.append('f', Buffer.from('x')),
        () => folder.mkdir('d', {}),
        () => folder.symlink('x', 'l'),
      ])
        await expect(change()).rejects.toMatchObject({ code: 'plan-stale' })
      expect(readdirSync(`${dir}/trap`)).toEqual([])
    })

    test('a link is replaced by a rename, also one that leads to a folder', async () => {
      const dir = scratch()
      mkdirSync(`${dir}/d`)
      symlinkSync('d', `${dir}/l`)
      const folder = await host.files.pin(dir)
      await folder.symlink('elsewhere', 'new')
      await folder.rename('new', 'l')
      expect(readlinkSync(`${dir}/l`)).toBe('elsewhere')
      expect(readdirSync(`${dir}/d`)).toEqual([])
    })
  })
})

describeWith(plainContainers.debian, 'a container', () => {
  async function another(options: { patienceMs?: number } = {}) {
    const plain = await startPlainContainer('debian')
    const { name, socket } = plain
    const host = containerHost(name, () =>
      ContainerConnection.open({ docker: engineClient({ socket }), container: name, name, ...options }),
    )
    onTestFinished(async () => {
      await host.close()
      await plain[Symbol.asyncDispose]()
    })
    return { plain, host }
  }
  const lostOf = (lock: HostLock) =>
    new Promise((resolve) => {
      if (lock.lost.aborted) resolve(lock.lost.reason)
      else lock.lost.addEventListener('abort', () => resolve(lock.lost.reason))
    })

  test('that is stopped ends what runs, takes the lock with it, and says so; started again it goes on', async () => {
    const { plain, host } = await another()
    const held = await host.lock('/tmp/stopped.lock', { holder: 'first', waitMs: 0 })
    const running = host.exec(['sh', '-c', 'echo on; sleep 60'], {
      onOutput: () => void plain.container.kill(),
    })
    await expect(running).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('it is not running'),
    })
    expect(await lostOf(held)).toMatchObject({ code: 'unreachable' })
    await expect(host.files.lstat('/etc')).rejects.toMatchObject({
      code: 'unreachable',
      hint: expect.stringContaining('docker start'),
    })
    await plain.container.start()
    expect(await host.files.lstat('/etc')).toMatchObject({ type: 'directory' })
    await (await host.lock('/tmp/stopped.lock', { holder: 'second', waitMs: 5000 })).release()
  })

  test('that is started again in the middle fails what was going on, and the next call finds it', async () => {
    const { plain, host } = await another()
    const running = host.exec(['sleep', '60'])
    await host.files.lstat('/etc')
    await Promise.all([
      plain.container.restart({ t: 0 }),
      expect(running).rejects.toMatchObject({ code: 'unreachable' }),
    ])
    expect((await host.exec(['true'])).exitCode).toBe(0)
  })

  test('that is paused for a moment is waited for', async () => {
    const { plain, host } = await another()
    await host.files.lstat('/etc')
    await plain.container.pause()
    const asked = host.files.lstat('/etc')
    const program = host.exec(['echo', 'on'])
    await plain.container.unpause()
    expect(await asked).toMatchObject({ type: 'directory' })
    expect(String(Buffer.from((await program).stdout))).toBe('on\n')
  })

  test('that stays paused is told, and after that goes on', async () => {
    const { plain, host } = await another({ patienceMs: 200 })
    await host.files.lstat('/etc')
    await plain.container.pause()
    await expect(host.files.lstat('/etc')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('it is paused'),
    })
    await expect(host.exec(['true'])).rejects.toMatchObject({ hint: expect.stringContaining('unpause') })
    await plain.container.unpause()
    expect(await host.files.lstat('/etc')).toMatchObject({ type: 'directory' })
  })

  test('that is gone, or was never there, is told', async () => {
    const { plain, host } = await another()
    await host.files.lstat('/etc')
    await plain[Symbol.asyncDispose]()
    await expect(host.files.lstat('/etc')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('there is no such container'),
    })
  })

  test('works as the user that is named', async () => {
    const { plain } = await another()
    const host = inContainer(plain.name, { socket: plain.socket, user: 'pi' })
    onTestFinished(() => host.close())
    expect(await host.facts()).toMatchObject({ uid: 1000, home: '/home/pi' })
    const folder = await host.files.pin('/home/pi')
    await folder.create('mine', Buffer.from('x'), { mode: 0o640 })
    expect(await host.files.lstat('/home/pi/mine')).toMatchObject({ uid: 1000, mode: 0o640 })
    await expect(host.files.read('/etc/shadow', 10_000)).rejects.toMatchObject({ code: 'EACCES' })
    await expect((await host.files.pin('/etc')).create('x', Buffer.of(), {})).rejects.toMatchObject({
      code: 'EACCES',
    })
    await expect(host.files.lstat('/root/x')).rejects.toMatchObject({ code: 'EACCES' })
    await expect(host.files.readdir('/root')).rejects.toMatchObject({ code: 'EACCES' })
  })

  test('is reached through another host, whose engine it is in', async () => {
    const { plain } = await another()
    const dialled: string[] = []
    const here = localHost()
    const on: Host = {
      ...here,
      name: 'there',
      dial(path) {
        dialled.push(path)
        return here.dial(path)
      },
    }
    const host = inContainer(plain.name, { socket: plain.socket, on })
    onTestFinished(() => host.close())
    expect(host.name).toBe(`container:${plain.name} on there`)
    expect(String(Buffer.from((await host.exec(['cat'], { stdin: 'through' })).stdout))).toBe('through')
    expect(dialled).toContain(plain.socket)
  })

  test('whose engine goes away in the middle is told, and the next call finds it again', async () => {
    const { plain } = await another()
    const socket = `${scratch()}/engine`
    const streams = new Set<Socket>()
    // The end of a program's input is one half of a connection.
    const halves = { allowHalfOpen: true }
    const proxy = createServer(halves, (near) => {
      const far = connect({ path: plain.socket, ...halves })
      for (const stream of [near, far]) {
        streams.add(stream)
        stream.on('error', () => stream.destroy())
      }
      near.pipe(far).pipe(near)
    })
    await new Promise<void>((resolve) => proxy.listen(socket, resolve))
    onTestFinished(() => void proxy.close())
    const host = inContainer(plain.name, { socket })
    onTestFinished(() => host.close())
    const held = await host.lock('/tmp/proxied.lock', { holder: 'first', waitMs: 0 })
    const running = host.exec(['sh', '-c', 'echo on; sleep 60'], {
      onOutput() {
        for (const stream of streams) stream.destroy()
      },
    })
    await expect(running).rejects.toMatchObject({ code: 'unreachable' })
    expect(await lostOf(held)).toMatchObject({ code: 'unreachable' })
    expect(await host.files.lstat('/etc')).toMatchObject({ type: 'directory' })
    await (await host.lock('/tmp/proxied.lock', { holder: 'second', waitMs: 5000 })).release()
  })

  test('of an engine that is not there is told', async () => {
    const host = inContainer('kiosk', { socket: `${scratch()}/none` })
    await expect(host.facts()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('no Docker Engine answers'),
    })
    await host.close()
  })

  test('programs that ended by themselves are told from those that were ended, as far as shells can', async () => {
    const { host } = await another()
    expect(await host.exec(['sh', '-c', 'exit 7'])).toMatchObject({ exitCode: 7, signal: null })
    expect(await host.exec(['sh', '-c', 'exit 255'])).toMatchObject({ exitCode: 255, signal: null })
    expect(await host.exec(['sh', '-c', 'kill -TERM $$'])).toMatchObject({
      exitCode: null,
      signal: 'SIGTERM',
    })
  })
})

test.each(['', '-x', 'a b', 'a/b'])('%j names no container', (name) => {
  expect(() => inContainer(name)).toThrow(/is not the name of a container/)
})
