import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import type { Host } from '@harmony-iac/core/host'
import { describe, expect, test } from 'vitest'
import { describeWith } from '../../../../scripts/testing/require-part.ts'
import { asOrdinaryUser, folders, mounting, scratch, tinyDisk, unprivileged } from '../../test/scratch.ts'
import { localHost } from '../hosts/local.ts'
import { linuxFiles } from './files.ts'

const host = localHost()
const filesOf = (on: Host) => linuxFiles(on, { keepFolder: async () => '/nonexistent' })
const files = filesOf(host)

describe('inspecting a path', () => {
  test('finds a small file with its bytes', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, 'a\0b\xff')
    chmodSync(`${dir}/f`, 0o640)
    const entry = await files.inspect(`${dir}/f`, { content: true })
    expect(entry).toMatchObject({
      type: 'file',
      mode: '0640',
      folder: dir,
      owner: { id: process.geteuid?.() },
    })
    expect(entry.type === 'file' && entry.content).toEqual({
      bytes: Uint8Array.from(Buffer.from('a\0b\xff')),
      size: 5,
    })
  })

  test('tells a large file by its digest, without holding it', async () => {
    const path = `${scratch()}/f`
    const content = Buffer.alloc(65_537, 'x')
    writeFileSync(path, content)
    expect(await files.inspect(path, { content: true })).toMatchObject({
      content: { bytes: undefined, sha256: hash('sha256', content), size: 65_537 },
    })
    writeFileSync(path, content.subarray(1))
    expect(await files.inspect(path, { content: true })).toMatchObject({ content: { size: 65_536 } })
  })

  test('reads no content that it is not asked for', async () => {
    const path = `${scratch()}/f`
    writeFileSync(path, 'abc')
    expect(await files.inspect(path)).toMatchObject({
      content: { bytes: undefined, sha256: undefined, size: 3 },
    })
  })

  test('finds directories, links and others as what they are', async () => {
    const dir = scratch()
    mkdirSync(`${dir}/folder`, { mode: 0o750 })
    symlinkSync('../else where\n', `${dir}/link`)
    execFileSync('mkfifo', [`${dir}/pipe`])
    expect(await files.inspect(`${dir}/folder`)).toMatchObject({
      type: 'directory',
      mode: '0750',
      folder: dir,
    })
    expect(await files.inspect(`${dir}/link`)).toMatchObject({ type: 'symlink', target: '../else where\n' })
    expect(await files.inspect(`${dir}/pipe`, { content: true })).toMatchObject({ type: 'other' })
    expect(await files.inspect('/')).toMatchObject({ type: 'directory', folder: '/' })
  })

  test('knows the canonical folder of what is there and of what is not', async () => {
    const dir = scratch()
    folders(dir, 'real')
    symlinkSync('real', `${dir}/alias`)
    writeFileSync(`${dir}/real/f`, '')
    expect(await files.inspect(`${dir}/alias/f`)).toMatchObject({ type: 'file', folder: `${dir}/real` })
    expect(await files.inspect(`${dir}/alias/none`)).toEqual({ type: 'absent', folder: `${dir}/real` })
    expect(await files.inspect(`${dir}/none/none`)).toEqual({ type: 'absent', folder: undefined })
    expect(await files.inspect(`${dir}/real/f/none`)).toEqual({ type: 'absent', folder: undefined })
  })

  test('sees a folder that was made a moment ago', async () => {
    const dir = scratch()
    const before = files.inspect(`${dir}/new/f`)
    const made = files.makeDirectory(`${dir}/new`, { folder: dir })
    expect(await before).toEqual({ type: 'absent', folder: undefined })
    await made
    expect(await files.inspect(`${dir}/new/f`)).toEqual({ type: 'absent', folder: `${dir}/new` })
  })

  test('has a fingerprint that changes with content although size and mtime stay', async () => {
    const path = `${scratch()}/f`
    writeFileSync(path, 'abc')
    utimesSync(path, 1, 1)
    const before = await files.inspect(path)
    writeFileSync(path, 'xyz')
    utimesSync(path, 1, 1)
    expect((await files.inspect(path)) as object).not.toHaveProperty(
      'fingerprint',
      (before as { fingerprint: string }).fingerprint,
    )
  })

  test('has a fingerprint of a directory that outlives changes in it', async () => {
    const dir = scratch()
    const print = async () => ((await files.inspect(dir)) as { fingerprint: string }).fingerprint
    const before = await print()
    writeFileSync(`${dir}/f`, '')
    rmSync(`${dir}/f`)
    expect(await print()).toBe(before)
  })

  test('looks again when a file is replaced by a link while it is looked at', async () => {
    const dir = scratch()
    symlinkSync('first', `${dir}/entry`)
    let swaps = 0
    const swapping: Host = {
      ...host,
      files: {
        ...host.files,
        async readlink(path) {
          if (swaps++ === 0) {
            rmSync(path)
            writeFileSync(path, 'a file now')
          }
          return host.files.readlink(path)
        },
      },
    }
    expect(await filesOf(swapping).inspect(`${dir}/entry`, { content: true })).toMatchObject({ type: 'file' })
  })

  test('gives up on what is something else every time', async () => {
    const dir = scratch()
    const path = `${dir}/f`
    writeFileSync(path, Buffer.alloc(100_000))
    let n = 0
    const restless: Host = {
      ...host,
      files: {
        ...host.files,
        async *stream(at) {
          yield* host.files.stream(at)
          writeFileSync(`${dir}/g`, Buffer.alloc(100_000, String(n++)))
          renameSync(`${dir}/g`, path)
        },
      },
    }
    await expect(filesOf(restless).inspect(path, { content: true })).rejects.toMatchObject({
      code: 'system',
      message: `${path}: it changes while it is read`,
    })
  })

  test('stops when it is interrupted', async () => {
    const path = `${scratch()}/f`
    writeFileSync(path, Buffer.alloc(1_000_000))
    const abort = new AbortController()
    const reading = files.inspect(path, { content: true, signal: abort.signal })
    abort.abort()
    await expect(reading).rejects.toMatchObject({ code: 'interrupted' })
  })

  test.each(['-rf', 'two\nlines', 'größe ☂', ' ', '"', 'a'.repeat(255), '\x1b[31m'])(
    'takes the name %j',
    async (name) => {
      const dir = scratch()
      writeFileSync(`${dir}/${name}`, 'x')
      expect(await files.inspect(`${dir}/${name}`, { content: true })).toMatchObject({ type: 'file' })
    },
  )

  describeWith(unprivileged, 'that may not be read', () => {
    test('says so with path and advice', async () => {
      const dir = scratch()
      folders(dir, 'closed')
      writeFileSync(`${dir}/f`, 'x')
      for (const name of ['closed', 'f']) chmodSync(`${dir}/${name}`, 0)
      await asOrdinaryUser(async () => {
        await expect(files.inspect(`${dir}/f`, { content: true })).rejects.toMatchObject({
          code: 'system',
          message: `${dir}/f: permission denied (EACCES from open)`,
          hint: expect.stringContaining('root'),
        })
        await expect(files.inspect(`${dir}/closed/f`)).rejects.toMatchObject({
          code: 'system',
          message: `${dir}/closed/f: permission denied (EACCES from lstat)`,
        })
        expect(await files.inspect(`${dir}/f`)).toMatchObject({ type: 'file', mode: '0000' })
      })
    })
  })
})

describe('listing a folder', () => {
  test('finds everything below, parents before children, links not followed', async () => {
    const dir = scratch()
    folders(dir, 'top/b/c', 'elsewhere')
    writeFileSync(`${dir}/top/a`, '')
    writeFileSync(`${dir}/top/b/c/deep`, '')
    writeFileSync(`${dir}/elsewhere/f`, '')
    symlinkSync('../elsewhere', `${dir}/top/link`)
    const listed = await files.list(`${dir}/top`)
    expect(listed.map(({ path, type }) => `${type} ${path.slice(dir.length + 5)}`)).toEqual([
      'file a',
      'directory b',
      'symlink link',
      'directory b/c',
      'file b/c/deep',
    ])
  })

  test('finds nothing where there is no folder, or only a link to one', async () => {
    const dir = scratch()
    folders(dir, 'real')
    writeFileSync(`${dir}/real/f`, '')
    symlinkSync('real', `${dir}/link`)
    for (const name of ['none', 'link', 'real/f']) expect(await files.list(`${dir}/${name}`)).toEqual([])
  })

  test('lists what has a name that is no UTF-8, since it is there', async () => {
    const dir = scratch()
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/caf`), Buffer.of(0xe9)]), '')
    expect(await files.list(dir)).toMatchObject([{ path: `${dir}/caf\uFFFD`, type: 'other' }])
  })

  describeWith(mounting, 'with a mount point in it', () => {
    test('listed what is mounted there, so that a purge deleted it', async () => {
      const disk = tinyDisk(64)
      const dir = scratch()
      folders(dir, 'sub/mnt')
      writeFileSync(`${disk}/precious`, '')
      execFileSync('mount', ['--bind', disk, `${dir}/sub/mnt`])
      try {
        expect(await files.list(dir)).toMatchObject([
          { path: `${dir}/sub`, type: 'directory' },
          { path: `${dir}/sub/mnt`, type: 'directory', mount: true },
        ])
      } finally {
        execFileSync('umount', [`${dir}/sub/mnt`])
      }
    })
  })
})

describe('resolving a link', () => {
  test('gives the canonical path of what it leads to, or would', async () => {
    const dir = scratch()
    folders(dir, 'real')
    writeFileSync(`${dir}/real/f`, '')
    symlinkSync('real', `${dir}/alias`)
    symlinkSync('alias/f', `${dir}/to-file`)
    symlinkSync('alias/new', `${dir}/to-nothing`)
    symlinkSync('to-nothing', `${dir}/to-link`)
    const expected = {
      'to-file': 'real/f',
      'to-nothing': 'real/new',
      'to-link': 'real/new',
      'alias/x': 'real/x',
    }
    for (const [from, to] of Object.entries(expected))
      expect(await files.resolve(`${dir}/${from}`), from).toBe(`${dir}/${to}`)
  })

  test('refuses links that lead in a circle', async () => {
    const dir = scratch()
    symlinkSync('b', `${dir}/a`)
    symlinkSync('a', `${dir}/b`)
    await expect(files.resolve(`${dir}/a`)).rejects.toMatchObject({
      code: 'system',
      data: { errno: 'ELOOP' },
    })
  })

  test('refuses a link into a folder that does not exist', async () => {
    const dir = scratch()
    symlinkSync('none/f', `${dir}/a`)
    await expect(files.resolve(`${dir}/a`)).rejects.toMatchObject({
      code: 'system',
      data: { errno: 'ENOENT' },
    })
  })
})
