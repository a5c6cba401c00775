import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { describeWith } from '../../../../scripts/testing/require-part.ts'
import {
  asOrdinaryUser,
  folders,
  makeReadOnly,
  mounting,
  openDescriptors,
  root,
  scratch,
  tinyDisk,
  unprivileged,
} from '../../test/scratch.ts'
import { localHost } from './local.ts'

const { files } = localHost()
const text = (content: string) => Buffer.from(content)

describe('a pinned folder', () => {
  test('is refused when a link was put in its place since it was observed', async () => {
    const dir = scratch()
    folders(dir, 'site', 'victim')
    const observed = await files.realpath(`${dir}/site`)
    renameSync(`${dir}/site`, `${dir}/away`)
    symlinkSync(`${dir}/victim`, `${dir}/site`)
    await expect(files.pin(`${dir}/site`, observed)).rejects.toMatchObject({
      code: 'plan-stale',
      message: `${dir}/site is no longer the folder that was observed: it leads to ${dir}/victim now`,
    })
  })

  test('is refused when a parent of it became a link', async () => {
    const dir = scratch()
    folders(dir, 'a/site', 'b/site')
    renameSync(`${dir}/a`, `${dir}/away`)
    symlinkSync('b', `${dir}/a`)
    await expect(files.pin(`${dir}/a/site`, `${dir}/a/site`)).rejects.toMatchObject({ code: 'plan-stale' })
  })

  test('stays the same folder when its path is swapped for a link after it was pinned', async () => {
    const dir = scratch()
    folders(dir, 'site', 'victim')
    writeFileSync(`${dir}/victim/f`, 'untouched')
    const folder = await files.pin(`${dir}/site`)
    renameSync(`${dir}/site`, `${dir}/away`)
    symlinkSync(`${dir}/victim`, `${dir}/site`)
    await folder.create('f~', text('new'), { mode: 0o644 })
    await folder.rename('f~', 'f')
    await folder.mkdir('d', { mode: 0o755 })
    await folder.symlink('f', 'l')
    await folder.setAttributes('f', { mode: 0o600 })
    await folder.append('journal', text('line'))
    await folder.unlink('l')
    await folder.sync()
    await folder.close()
    expect(readdirSync(`${dir}/away`).sort()).toEqual(['d', 'f', 'journal'])
    expect(readdirSync(`${dir}/victim`)).toEqual(['f'])
    expect(readFileSync(`${dir}/victim/f`, 'utf8')).toBe('untouched')
    expect(statSync(`${dir}/victim/f`).mode & 0o777).toBe(0o644)
  })

  test('is not shared with whoever pins the folder that has its path by now', async () => {
    const dir = scratch()
    folders(dir, 'site')
    const before = await files.pin(`${dir}/site`)
    renameSync(`${dir}/site`, `${dir}/away`)
    mkdirSync(`${dir}/site`)
    const after = await files.pin(`${dir}/site`)
    await before.create('old', text(''), {})
    await after.create('new', text(''), {})
    await before.close()
    await after.close()
    expect([readdirSync(`${dir}/away`), readdirSync(`${dir}/site`)]).toEqual([['old'], ['new']])
  })

  test('pins a folder in it, but never through a link', async () => {
    const dir = scratch()
    folders(dir, 'site/inner', 'victim')
    symlinkSync('../victim', `${dir}/site/link`)
    const folder = await files.pin(`${dir}/site`)
    const inner = await folder.pin('inner')
    await inner.create('f', text(''), {})
    await expect(folder.pin('link')).rejects.toMatchObject({ code: 'ENOTDIR', path: `${dir}/site/link` })
    await inner.close()
    await folder.close()
    expect(inner.path).toBe(`${dir}/site/inner`)
    expect(readdirSync(`${dir}/site/inner`)).toEqual(['f'])
  })

  test('takes only the name of an entry', async () => {
    const folder = await files.pin(scratch())
    for (const name of ['', '.', '..', 'a/b', '../x', 'a\0b'])
      await expect(folder.create(name, text(''), {}), JSON.stringify(name)).rejects.toMatchObject({
        code: 'invalid-value',
      })
    await folder.close()
  })

  test('takes every name that the system takes', async () => {
    const dir = scratch()
    const folder = await files.pin(dir)
    const names = [
      '-rf',
      'two\nlines',
      'größe ☂',
      ' ',
      '*',
      '"',
      '\\',
      'a'.repeat(255),
      '~',
      '.hidden',
      '\x1b[31m',
    ]
    for (const name of names) await folder.create(name, text(name), { mode: 0o600 })
    await folder.close()
    expect(readdirSync(dir).sort()).toEqual(names.toSorted())
  })

  test('lets go of every descriptor, also when a call fails', async () => {
    const dir = scratch()
    folders(dir, 'site')
    const before = openDescriptors()
    const folder = await files.pin(`${dir}/site`)
    const again = await files.pin(`${dir}/site`)
    await folder.create('f', text('a'), {})
    await expect(folder.create('f', text('b'), {})).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(folder.setAttributes('none', { mode: 0o600 })).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(folder.append('f/x', text(''))).rejects.toThrow()
    await expect(files.pin(`${dir}/site`, '/elsewhere')).rejects.toThrow()
    await expect(files.pin(`${dir}/none`)).rejects.toMatchObject({ code: 'ENOENT', path: `${dir}/none` })
    await expect(files.pin(`${dir}/site/f`)).rejects.toMatchObject({ code: 'ENOTDIR' })
    await folder.close()
    await folder.close()
    await again.create('g', text(''), {})
    await again.close()
    expect(openDescriptors()).toBe(before)
  })

  test('names the real path in errors, not the descriptor it works through', async () => {
    const dir = scratch()
    const folder = await files.pin(dir)
    const failing = [
      () => folder.unlink('x'),
      () => folder.rmdir('x'),
      () => folder.rename('x', 'y'),
      () => folder.setAttributes('x', { mode: 1 }),
    ]
    for (const fail of failing)
      await expect(fail()).rejects.toSatisfy((error: NodeJS.ErrnoException) => {
        return (
          error.code === 'ENOENT' && error.path?.startsWith(dir) === true && !error.message.includes('/proc')
        )
      })
    await folder.close()
  })
})

describe('creating a file', () => {
  test('sets exactly the mode asked for, whatever the umask, and 0600 by default', async () => {
    const dir = scratch()
    const before = process.umask(0o077)
    try {
      const folder = await files.pin(dir)
      await folder.create('open', text(''), { mode: 0o666 })
      await folder.create('default', text(''), {})
      await folder.create('sticky', text(''), { mode: 0o4755 })
      await folder.mkdir('folder', { mode: 0o1777 })
      await folder.close()
    } finally {
      process.umask(before)
    }
    const mode = (name: string) => (statSync(`${dir}/${name}`).mode & 0o7777).toString(8)
    expect(['open', 'default', 'sticky', 'folder'].map(mode)).toEqual(['666', '600', '4755', '1777'])
  })

  test('is not readable by others before it is complete', async () => {
    const dir = scratch()
    const folder = await files.pin(dir)
    const modes: number[] = []
    async function* content() {
      for (let i = 0; i < 3; i++) {
        yield text('secret')
        modes.push(statSync(`${dir}/f`).mode & 0o777)
      }
    }
    await folder.create('f', content(), { mode: 0o644 })
    await folder.close()
    expect(modes).toEqual([0o600, 0o600, 0o600])
    expect(readFileSync(`${dir}/f`, 'utf8')).toBe('secretsecretsecret')
  })

  test('leaves nothing when its content fails half-way', async () => {
    const dir = scratch()
    const folder = await files.pin(dir)
    async function* content() {
      yield text('half')
      throw new Error('the source is gone')
    }
    await expect(folder.create('f', content(), {})).rejects.toThrow('the source is gone')
    await folder.close()
    expect(readdirSync(dir)).toEqual([])
  })

  test('never touches what is there, be it a link', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/victim`, 'untouched')
    symlinkSync('victim', `${dir}/link`)
    symlinkSync('none', `${dir}/dangling`)
    const folder = await files.pin(dir)
    for (const name of ['victim', 'link', 'dangling'])
      await expect(folder.create(name, text('x'), {})).rejects.toMatchObject({ code: 'EEXIST' })
    await folder.close()
    expect(readFileSync(`${dir}/victim`, 'utf8')).toBe('untouched')
    expect(readdirSync(dir)).toHaveLength(3)
  })
})

describe('appending', () => {
  test('adds to the end of an owner-only file', async () => {
    const dir = scratch()
    const folder = await files.pin(dir)
    await folder.append('journal', text('one\n'))
    await folder.append('journal', text('two\n'))
    await folder.close()
    expect(readFileSync(`${dir}/journal`, 'utf8')).toBe('one\ntwo\n')
    expect(statSync(`${dir}/journal`).mode & 0o777).toBe(0o600)
  })

  test('does not follow a link', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/victim`, '')
    symlinkSync('victim', `${dir}/journal`)
    const folder = await files.pin(dir)
    await expect(folder.append('journal', text('x'))).rejects.toMatchObject({ code: 'ELOOP' })
    await folder.close()
  })
})

describe('attributes', () => {
  test('are never set through a link', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/victim`, '')
    chmodSync(`${dir}/victim`, 0o600)
    symlinkSync('victim', `${dir}/link`)
    const folder = await files.pin(dir)
    await expect(folder.setAttributes('link', { mode: 0o777 })).rejects.toMatchObject({ code: 'refused' })
    await folder.close()
    expect(statSync(`${dir}/victim`).mode & 0o777).toBe(0o600)
  })

  test('are set on what may not be read', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, '')
    chmodSync(`${dir}/f`, 0)
    chmodSync(dir, 0o777)
    const folder = await files.pin(dir)
    await folder.setAttributes('f', { mode: 0o640 })
    await folder.close()
    expect(statSync(`${dir}/f`).mode & 0o777).toBe(0o640)
  })

  describeWith(root, 'of another owner', () => {
    test('are set on files, folders and links themselves', async () => {
      const dir = scratch()
      writeFileSync(`${dir}/victim`, '')
      const folder = await files.pin(dir)
      await folder.create('f', text(''), { uid: 1, gid: 2, mode: 0o4755 })
      await folder.mkdir('d', { uid: 3, gid: 4, mode: 0o2750 })
      await folder.symlink('victim', 'l')
      await folder.setAttributes('l', { uid: 5, gid: 6 })
      await folder.setAttributes('f', { gid: 7 })
      const found = await Promise.all(['f', 'd', 'l', 'victim'].map((name) => folder.lstat(name)))
      await folder.close()
      expect(found.map((stat) => [stat?.uid, stat?.gid])).toEqual([
        [1, 7],
        [3, 4],
        [5, 6],
        [0, 0],
      ])
      expect(found[1]?.mode).toBe(0o2750)
    })
  })

  describeWith(unprivileged, 'that one may not set', () => {
    test('leave nothing behind of what was to be made with them', async () => {
      const dir = scratch()
      chmodSync(dir, 0o777)
      await asOrdinaryUser(async () => {
        const folder = await files.pin(dir)
        await expect(folder.create('f', text(''), { uid: 1 })).rejects.toMatchObject({
          code: 'EPERM',
          path: `${dir}/f`,
        })
        await expect(folder.mkdir('d', { uid: 1 })).rejects.toMatchObject({ code: 'EPERM', path: `${dir}/d` })
        await folder.close()
      })
      expect(readdirSync(dir)).toEqual([])
    })
  })
})

describe('making entries durable', () => {
  test('costs one fsync for all who ask while another runs, and one for the first', async () => {
    const calls: string[] = []
    const counting = localHost({ probe: (call, when) => when === 'before' && calls.push(call) })
    const folder = await counting.files.pin(scratch())
    await Promise.all(Array.from({ length: 100 }, () => folder.sync()))
    expect(calls).toEqual(['fsync', 'fsync'])
    await folder.sync()
    expect(calls).toHaveLength(3)
    await folder.close()
  })

  test('waits for an fsync that began after the entry was made', async () => {
    const order: string[] = []
    const counting = localHost({ probe: (call, when) => order.push(`${when} ${call}`) })
    const folder = await counting.files.pin(scratch())
    const first = folder.sync()
    await folder.symlink('x', 'late')
    await folder.sync()
    await first
    await folder.close()
    expect(order.indexOf('after symlink')).toBeLessThan(order.lastIndexOf('before fsync'))
  })

  test('tells everybody who shared it when it fails', async () => {
    let failing = false
    const host = localHost({
      probe: (call, when) => {
        if (failing && call === 'fsync' && when === 'before')
          throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fsync' })
      },
    })
    const folder = await host.files.pin(scratch())
    const first = folder.sync()
    failing = true
    const results = await Promise.allSettled([first, folder.sync(), folder.sync()])
    failing = false
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    await folder.sync()
    await folder.close()
  })
})

describeWith(mounting, 'a disk that', () => {
  test('is full takes a file whole or not at all', async () => {
    const disk = tinyDisk(64)
    const folder = await files.pin(disk)
    await folder.create('small', text('fits'), {})
    await expect(folder.create('large', Buffer.alloc(100_000), {})).rejects.toMatchObject({
      code: 'ENOSPC',
      path: `${disk}/large`,
    })
    await expect(folder.create('huge', Buffer.alloc(1_000_000), {})).rejects.toMatchObject({ code: 'ENOSPC' })
    await folder.close()
    expect(readdirSync(disk)).toEqual(['small'])
  })

  test('becomes full while a journal grows keeps what was there before', async () => {
    const disk = tinyDisk(64)
    const folder = await files.pin(disk)
    await folder.append('journal', text('first\n'))
    await expect(folder.append('journal', Buffer.alloc(100_000, 'x'))).rejects.toMatchObject({
      code: 'ENOSPC',
    })
    expect(readFileSync(`${disk}/journal`, 'utf8')).toBe('first\n')
    await folder.append('journal', text('second\n'))
    await folder.close()
    expect(readFileSync(`${disk}/journal`, 'utf8')).toBe('first\nsecond\n')
  })

  test('is read-only says so', async () => {
    const disk = tinyDisk(64)
    makeReadOnly(disk)
    const folder = await files.pin(disk)
    await expect(folder.create('f', text(''), {})).rejects.toMatchObject({ code: 'EROFS', path: `${disk}/f` })
    await expect(folder.symlink('f', 'l')).rejects.toMatchObject({ code: 'EROFS', path: `${disk}/l` })
    await folder.close()
  })
})

test('a pinned folder that is closed too early stays open until what is under way is done', async () => {
  const dir = scratch()
  folders(dir, 'site', 'other')
  const folder = await files.pin(`${dir}/site`)
  const creating = folder.create('f', text('ours'), {})
  await folder.close()
  const other = await files.pin(`${dir}/other`)
  await creating
  await expect(folder.create('g', text(''), {})).rejects.toMatchObject({ code: 'internal' })
  await other.close()
  expect([readdirSync(`${dir}/site`), readdirSync(`${dir}/other`)]).toEqual([['f'], []])
})

test('a pinned folder is open only as long as somebody holds it', async () => {
  const dir = scratch()
  const folder = await files.pin(dir)
  const links = () =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)]
      } catch {
        return []
      }
    })
  expect(links()).toContain(dir)
  await folder.close()
  expect(links()).not.toContain(dir)
})
