import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { describeWith } from '../../../../scripts/testing/require-part.ts'
import { asOrdinaryUser, openDescriptors, scratch, unprivileged } from '../../test/scratch.ts'
import { localHost } from './local.ts'

const { files } = localHost()

describe('reading what is at a path', () => {
  test('finds type, size, mode and owner', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, 'abc')
    chmodSync(`${dir}/f`, 0o640)
    const { uid, gid, ino } = lstatSync(`${dir}/f`)
    expect(await files.lstat(`${dir}/f`)).toMatchObject({
      type: 'file',
      size: 3,
      mode: 0o640,
      uid,
      gid,
      inode: `${ino}`,
    })
    expect(await files.lstat(dir)).toMatchObject({ type: 'directory' })
  })

  test('takes a missing path, a missing parent and a parent that is a file for nothing there', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, '')
    for (const path of ['none', 'none/none', 'f/none']) {
      expect(await files.lstat(`${dir}/${path}`)).toBeUndefined()
      expect(await files.read(`${dir}/${path}`, 10)).toBeUndefined()
    }
  })

  test('changes its answer when a file is replaced by an equal one, and when it is written', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, 'abc')
    const first = await files.lstat(`${dir}/f`)
    writeFileSync(`${dir}/g`, 'abc')
    renameSync(`${dir}/g`, `${dir}/f`)
    const second = await files.lstat(`${dir}/f`)
    expect(second).not.toEqual(first)
    chmodSync(`${dir}/f`, 0o600)
    expect(await files.lstat(`${dir}/f`)).not.toEqual(second)
  })
})

describe('reading content', () => {
  test.each([0, 1, 64, 65_536, 262_144, 262_145, 1_000_000])('gives all of %i bytes', async (size) => {
    const path = `${scratch()}/f`
    const content = Buffer.alloc(size, 'Hármony\0\xff')
    writeFileSync(path, content)
    const found = await files.read(path, 1_000_000)
    expect(found?.stat.size).toBe(size)
    expect(content.equals(found?.bytes ?? Buffer.from('nothing'))).toBe(true)
  })

  test('leaves out what is larger than the limit', async () => {
    const path = `${scratch()}/f`
    writeFileSync(path, 'abcd')
    expect((await files.read(path, 4))?.bytes).toHaveLength(4)
    expect(await files.read(path, 3)).toMatchObject({ stat: { size: 4 }, bytes: undefined })
  })

  test('gives bytes that the next read does not overwrite', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/a`, 'aaaa')
    writeFileSync(`${dir}/b`, 'bbbb')
    const a = await files.read(`${dir}/a`, 100)
    await files.read(`${dir}/b`, 100)
    expect(Buffer.from(a?.bytes ?? []).toString()).toBe('aaaa')
  })

  test('does not follow a link, and opens nothing that is no file', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, 'abc')
    symlinkSync('f', `${dir}/link`)
    symlinkSync('none', `${dir}/dangling`)
    mkdirSync(`${dir}/folder`)
    execFileSync('mkfifo', [`${dir}/pipe`])
    const server = createServer().listen(`${dir}/socket`)
    onTestFinished(() => void server.close())
    await new Promise((listening) => server.once('listening', listening))
    const types = {
      link: 'symlink',
      dangling: 'symlink',
      folder: 'directory',
      pipe: 'other',
      socket: 'other',
    }
    for (const [name, type] of Object.entries(types))
      expect(await files.read(`${dir}/${name}`, 100), name).toMatchObject({
        stat: { type },
        bytes: undefined,
      })
  })

  test('reads files of /proc, which say that they are empty', async () => {
    const found = await files.read('/proc/self/status', 65_536)
    expect(Buffer.from(found?.bytes ?? []).toString()).toContain(`Pid:\t${process.pid}\n`)
  })

  test('reads again when the file changes meanwhile', async () => {
    const path = `${scratch()}/f`
    writeFileSync(path, Buffer.alloc(300_000, 'a'))
    const reading = files.read(path, 1_000_000)
    appendFileSync(path, 'b')
    const found = await reading
    expect([found?.stat.size, found?.bytes?.length, found?.bytes?.at(-1)]).toEqual([300_001, 300_001, 0x62])
  })

  test('gives up on a file that changes every time', async () => {
    const path = `${scratch()}/f`
    writeFileSync(path, Buffer.alloc(300_000, 'a'))
    let writing = true
    const write = () => {
      if (!writing) return
      appendFileSync(path, 'b')
      setImmediate(write)
    }
    write()
    const reading = files.read(path, 10_000_000).finally(() => {
      writing = false
    })
    await expect(reading).rejects.toMatchObject({
      code: 'system',
      message: `${path}: it changes while it is read`,
    })
  })

  test('leaves no descriptor open, whatever is read', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, Buffer.alloc(300_000))
    symlinkSync('f', `${dir}/link`)
    const before = openDescriptors()
    for (const path of [`${dir}/f`, `${dir}/link`, dir, `${dir}/none`]) {
      await files.read(path, 10)
      await files.read(path, 1_000_000)
    }
    for await (const _ of files.stream(`${dir}/f`)) break
    expect(openDescriptors()).toBe(before)
  })

  describeWith(unprivileged, 'without permission', () => {
    test('says who refuses: the error of the system, with the path', async () => {
      const dir = scratch()
      writeFileSync(`${dir}/f`, 'secret')
      chmodSync(`${dir}/f`, 0)
      await asOrdinaryUser(async () => {
        await expect(files.read(`${dir}/f`, 100)).rejects.toMatchObject({ code: 'EACCES', path: `${dir}/f` })
      })
    })

    test('still knows what an unreadable folder is', async () => {
      const dir = scratch()
      mkdirSync(`${dir}/folder`)
      chmodSync(`${dir}/folder`, 0o311)
      await asOrdinaryUser(async () => {
        expect(await files.read(`${dir}/folder`, 100)).toMatchObject({
          stat: { type: 'directory', mode: 0o311 },
        })
      })
    })
  })
})

describe('streaming content', () => {
  async function drain(path: string, during?: (chunk: number) => void): Promise<Buffer> {
    const chunks: Uint8Array[] = []
    for await (const chunk of files.stream(path)) {
      chunks.push(chunk)
      during?.(chunks.length)
    }
    return Buffer.concat(chunks)
  }

  test('gives all of it in chunks of at most 256 KiB', async () => {
    const path = `${scratch()}/f`
    const content = Buffer.alloc(1_000_000, '0123456789\0')
    writeFileSync(path, content)
    const sizes: number[] = []
    for await (const chunk of files.stream(path)) sizes.push(chunk.length)
    expect(Math.max(...sizes)).toBe(262_144)
    expect((await drain(path)).equals(content)).toBe(true)
  })

  test('fails when the file changes meanwhile', async () => {
    const path = `${scratch()}/f`
    writeFileSync(path, Buffer.alloc(600_000))
    const growing = drain(path, (chunk) => chunk === 1 && appendFileSync(path, 'x'))
    await expect(growing).rejects.toMatchObject({
      code: 'system',
      message: `${path}: it changes while it is read`,
    })
  })

  test('does not follow a link', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, 'abc')
    symlinkSync('f', `${dir}/link`)
    await expect(drain(`${dir}/link`)).rejects.toMatchObject({ code: 'ELOOP' })
  })
})
