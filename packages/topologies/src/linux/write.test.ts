import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type { EntryFacts } from '@harmony-iac/core/capabilities'
import type { Host, PinnedFolder } from '@harmony-iac/core/host'
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
import { localHost } from '../hosts/local.ts'
import { linuxFiles } from './files.ts'
import { temporaryName } from './names.ts'

const host = localHost()
const filesOf = (on: Host) => linuxFiles(on, { keepFolder: async () => '/nonexistent' })
const files = filesOf(host)
const text = (content: string) => Buffer.from(content)
const read = (path: string) => readFileSync(path, 'utf8')
const modeOf = (path: string) => (lstatSync(path).mode & 0o7777).toString(8)

describe('writing a file', () => {
  test('puts a new one there with mode 0644, or as wanted, whatever the umask', async () => {
    const dir = scratch()
    const before = process.umask(0o077)
    try {
      await files.writeFile(`${dir}/a`, text('a'), { folder: dir })
      await files.writeFile(`${dir}/b`, text('b'), { folder: dir, mode: '0600' })
    } finally {
      process.umask(before)
    }
    expect([read(`${dir}/a`), modeOf(`${dir}/a`), modeOf(`${dir}/b`)]).toEqual(['a', '644', '600'])
    expect(readdirSync(dir)).toEqual(['a', 'b'])
  })

  test('keeps the mode of what was there when none is wanted', async () => {
    const path = `${scratch()}/f`
    writeFileSync(path, 'old')
    chmodSync(path, 0o751)
    await files.writeFile(path, text('new'), { folder: undefined })
    expect([read(path), modeOf(path)]).toEqual(['new', '751'])
  })

  test('replaces a link and leaves alone what it leads to', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/victim`, 'untouched')
    symlinkSync('victim', `${dir}/f`)
    await files.writeFile(`${dir}/f`, text('new'), { folder: dir })
    expect([read(`${dir}/victim`), lstatSync(`${dir}/f`).isFile()]).toEqual(['untouched', true])
  })

  test.each([
    ['replaced', (path: string) => writeFileSync(path, 'precious')],
    ['removed', (path: string) => rmSync(path)],
  ])('a file that is %s while its new content is validated was overwritten unseen', async (_, meanwhile) => {
    const dir = scratch()
    const path = `${dir}/f`
    writeFileSync(path, 'old')
    const { fingerprint } = (await files.inspect(path)) as EntryFacts
    const slow = filesOf({
      ...host,
      exec: (...given) => {
        meanwhile(path)
        return host.exec(...given)
      },
    })
    const options = { folder: dir, fingerprint, validate: ['true', '{}'] }
    await expect(slow.writeFile(path, text('new'), options)).rejects.toMatchObject({
      code: 'plan-stale',
      message: `${path}: it has changed while the new content was prepared`,
    })
    expect(existsSync(path) ? read(path) : 'gone').toBe(_ === 'removed' ? 'gone' : 'precious')
    expect(readdirSync(dir).filter((name) => name !== 'f')).toEqual([])
  })

  test('what appears where nothing was observed was overwritten unseen', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, 'precious')
    const guard = { folder: dir, fingerprint: 'absent' }
    await expect(files.writeFile(`${dir}/f`, text('new'), guard)).rejects.toMatchObject({
      code: 'plan-stale',
    })
    await expect(files.makeSymlink(`${dir}/f`, 'x', guard)).rejects.toMatchObject({ code: 'plan-stale' })
    expect([readdirSync(dir), read(`${dir}/f`)]).toEqual([['f'], 'precious'])
    await files.makeSymlink(`${dir}/link`, 'x', guard)
    expect(readlinkSync(`${dir}/link`)).toBe('x')
  })

  test('refuses to replace a directory', async () => {
    const dir = scratch()
    mkdirSync(`${dir}/f`)
    await expect(files.writeFile(`${dir}/f`, text(''), { folder: dir })).rejects.toMatchObject({
      code: 'refused',
      message: `${dir}/f: a directory is there, where a file is wanted`,
      hint: expect.any(String),
    })
    expect(readdirSync(dir)).toEqual(['f'])
  })

  test('says that the folder is missing', async () => {
    const dir = scratch()
    await expect(files.writeFile(`${dir}/none/f`, text(''), { folder: undefined })).rejects.toMatchObject({
      code: 'system',
      message: `${dir}/none: it does not exist (ENOENT from realpath)`,
      hint: 'declare a Directory for the folder, or create it',
    })
  })

  test('streams content of any size and tells how far it is', async () => {
    const path = `${scratch()}/f`
    const chunk = Buffer.alloc(200_000, 'x')
    const content = {
      sha256: '',
      size: 1_000_000,
      async *open() {
        for (let i = 0; i < 5; i++) yield chunk
      },
    }
    const told: number[] = []
    await files.writeFile(path, content, { folder: undefined, onProgress: (bytes) => told.push(bytes) })
    expect(statSync(path).size).toBe(1_000_000)
    expect(told).toEqual([200_000, 400_000, 600_000, 800_000, 1_000_000])
  })

  test('leaves what was there when its source fails half-way', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, 'old')
    const content = {
      sha256: '',
      size: 2,
      async *open() {
        yield text('n')
        throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'read', path: '/source' })
      },
    }
    await expect(files.writeFile(`${dir}/f`, content, { folder: dir })).rejects.toMatchObject({
      code: 'system',
    })
    expect([read(`${dir}/f`), readdirSync(dir)]).toEqual(['old', ['f']])
  })

  test('leaves what was there when it is interrupted', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, 'old')
    const abort = new AbortController()
    const content = {
      sha256: '',
      size: 2,
      async *open() {
        yield text('n')
        abort.abort()
        yield text('o')
      },
    }
    const writing = files.writeFile(`${dir}/f`, content, { folder: dir, signal: abort.signal })
    await expect(writing).rejects.toMatchObject({ code: 'interrupted' })
    expect([read(`${dir}/f`), readdirSync(dir)]).toEqual(['old', ['f']])
  })

  test.each(['-rf', 'two\nlines', 'größe ☂', ' ', '"', 'a'.repeat(255), '\x1b[31m'])(
    'takes the name %j',
    async (name) => {
      const dir = scratch()
      await files.writeFile(`${dir}/${name}`, text('x'), { folder: dir })
      expect(readdirSync(dir)).toEqual([name])
    },
  )

  test('takes the place of what a killed pass has left', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/${temporaryName('f')}`, 'half')
    await files.writeFile(`${dir}/f`, text('new'), { folder: dir })
    expect([readdirSync(dir), read(`${dir}/f`)]).toEqual([['f'], 'new'])
  })

  test('a thousand at once leaves no descriptor open', async () => {
    const dir = scratch()
    const before = openDescriptors()
    await Promise.all(
      Array.from({ length: 1000 }, (_, i) => files.writeFile(`${dir}/${i}`, text('x'), { folder: dir })),
    )
    expect([readdirSync(dir).length, openDescriptors()]).toEqual([1000, before])
  })
})

describe('a candidate that is validated', () => {
  test('goes live when the program agrees; the program sees it complete, under a path of its own', async () => {
    const dir = scratch()
    const script = `[ "$(cat "$1")" = new ] && [ ! -e ${dir}/f ] && stat -c %a "$1" > ${dir}/mode`
    await files.writeFile(`${dir}/f`, text('new'), {
      folder: dir,
      mode: '0640',
      validate: ['/bin/sh', '-c', script, 'x', '{}'],
    })
    expect([read(`${dir}/f`), read(`${dir}/mode`)]).toEqual(['new', '640\n'])
  })

  test('is refused when the program disagrees: what was there stays, and its words are told', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, 'old')
    const validate = ['/bin/sh', '-c', 'echo "$1: line 3 is wrong" >&2; exit 4', 'x', '{}']
    await expect(files.writeFile(`${dir}/f`, text('new'), { folder: dir, validate })).rejects.toMatchObject({
      code: 'refused',
      message: `${dir}/f: its validation ended with status 4 (${validate.join(' ')}): ${dir}/f: line 3 is wrong`,
      data: { exitCode: 4 },
    })
    expect([read(`${dir}/f`), readdirSync(dir)]).toEqual(['old', ['f']])
  })

  test('is taken away when the program is missing', async () => {
    const dir = scratch()
    const writing = files.writeFile(`${dir}/f`, text('new'), {
      folder: dir,
      validate: ['no-such-program', '{}'],
    })
    await expect(writing).rejects.toMatchObject({ code: 'command-failed' })
    expect(readdirSync(dir)).toEqual([])
  })

  test('is taken away when it is interrupted', async () => {
    const dir = scratch()
    const abort = new AbortController()
    const validate = ['/bin/sh', '-c', `touch ${dir}/started; sleep 300`, 'x', '{}']
    const writing = files.writeFile(`${dir}/f`, text('new'), { folder: dir, validate, signal: abort.signal })
    const settled = writing.catch((error: unknown) => error)
    await expect.poll(() => existsSync(`${dir}/started`), { interval: 2 }).toBe(true)
    abort.abort()
    expect(await settled).toMatchObject({ code: 'interrupted' })
    expect(readdirSync(dir)).toEqual(['started'])
  })
})

describe('a folder that is swapped for a link', () => {
  const swap = (dir: string) => {
    renameSync(`${dir}/site`, `${dir}/away`)
    symlinkSync('victim', `${dir}/site`)
  }

  test('after it was observed is refused by everything that writes', async () => {
    const dir = scratch()
    folders(dir, 'site', 'victim')
    writeFileSync(`${dir}/victim/f`, 'untouched')
    writeFileSync(`${dir}/site/f`, 'ours')
    const { folder } = await files.inspect(`${dir}/site/f`)
    swap(dir)
    const at = `${dir}/site/f`
    const attempts = [
      () => files.writeFile(at, text('new'), { folder }),
      () => files.makeSymlink(at, 'x', { folder }),
      () => files.makeDirectory(`${dir}/site/d`, { folder }),
      () => files.setAttributes(at, { mode: '0777', folder }),
    ]
    for (const attempt of attempts)
      await expect(attempt()).rejects.toMatchObject({
        code: 'plan-stale',
        hint: expect.stringContaining('link'),
      })
    expect([read(`${dir}/victim/f`), readdirSync(`${dir}/victim`), modeOf(`${dir}/victim/f`)]).toEqual([
      'untouched',
      ['f'],
      '644',
    ])
  })

  test('after it was observed has nothing removed through it', async () => {
    const dir = scratch()
    folders(dir, 'site', 'victim')
    writeFileSync(`${dir}/victim/f`, 'untouched')
    writeFileSync(`${dir}/site/f`, 'untouched')
    const entry = await files.inspect(`${dir}/site/f`)
    swap(dir)
    const { fingerprint } = entry as { fingerprint: string }
    expect(await files.remove(`${dir}/site/f`, { fingerprint })).toBe('changed')
    expect(read(`${dir}/victim/f`)).toBe('untouched')
  })

  /** A host on which the folder is swapped just before one call in the pinned folder. */
  function swapsBefore(dir: string, when: keyof PinnedFolder): Host {
    return {
      ...host,
      files: {
        ...host.files,
        async pin(folder, expected) {
          const pinned = await host.files.pin(folder, expected)
          return new Proxy(pinned, {
            get(target, key) {
              if (key === when && !existsSync(`${dir}/away`)) swap(dir)
              return Reflect.get(target, key)
            },
          })
        },
      },
    }
  }

  test.each(['lstat', 'create', 'rename', 'sync'] as const)(
    'just before %s redirects nothing',
    async (when) => {
      const dir = scratch()
      folders(dir, 'site', 'victim')
      writeFileSync(`${dir}/victim/f`, 'untouched')
      await filesOf(swapsBefore(dir, when)).writeFile(`${dir}/site/f`, text('new'), { folder: `${dir}/site` })
      expect([read(`${dir}/victim/f`), readdirSync(`${dir}/victim`)]).toEqual(['untouched', ['f']])
      expect([read(`${dir}/away/f`), readdirSync(`${dir}/away`)]).toEqual(['new', ['f']])
    },
  )

  test.each(['lstat', 'unlink', 'sync'] as const)(
    'just before %s has nothing removed through it',
    async (when) => {
      const dir = scratch()
      folders(dir, 'site', 'victim')
      writeFileSync(`${dir}/victim/f`, 'untouched')
      writeFileSync(`${dir}/site/f`, 'ours')
      expect(await filesOf(swapsBefore(dir, when)).remove(`${dir}/site/f`)).toBe('removed')
      expect([read(`${dir}/victim/f`), readdirSync(`${dir}/away`)]).toEqual(['untouched', []])
    },
  )
})

describe('making a directory', () => {
  test('makes it with mode 0755, or as wanted', async () => {
    const dir = scratch()
    await files.makeDirectory(`${dir}/a`, { folder: dir })
    await files.makeDirectory(`${dir}/b`, { folder: dir, mode: '2750' })
    expect([modeOf(`${dir}/a`), modeOf(`${dir}/b`)]).toEqual(['755', '2750'])
  })

  test('that is there sets what is wanted and no more', async () => {
    const dir = scratch()
    mkdirSync(`${dir}/a`)
    chmodSync(`${dir}/a`, 0o700)
    await files.makeDirectory(`${dir}/a`, { folder: dir })
    expect(modeOf(`${dir}/a`)).toBe('700')
    await files.makeDirectory(`${dir}/a`, { folder: dir, mode: '0711' })
    expect(modeOf(`${dir}/a`)).toBe('711')
  })

  test.each(['file', 'link'])('refuses where a %s is', async (what) => {
    const dir = scratch()
    if (what === 'file') writeFileSync(`${dir}/a`, '')
    else symlinkSync('/', `${dir}/a`)
    await expect(files.makeDirectory(`${dir}/a`, { folder: dir })).rejects.toMatchObject({ code: 'refused' })
  })
})

describe('making a link', () => {
  test('makes it, and replaces one that is there', async () => {
    const dir = scratch()
    await files.makeSymlink(`${dir}/l`, 'one', { folder: dir })
    await files.makeSymlink(`${dir}/l`, '../two\nlines', { folder: dir })
    expect([readlinkSync(`${dir}/l`), readdirSync(dir)]).toEqual(['../two\nlines', ['l']])
  })

  test('takes the place of what a killed pass has left', async () => {
    const dir = scratch()
    symlinkSync('half', `${dir}/${temporaryName('l')}`)
    await files.makeSymlink(`${dir}/l`, 'new', { folder: dir })
    expect([readlinkSync(`${dir}/l`), readdirSync(dir)]).toEqual(['new', ['l']])
  })

  test('refuses to replace a directory', async () => {
    const dir = scratch()
    mkdirSync(`${dir}/l`)
    await expect(files.makeSymlink(`${dir}/l`, 'x', { folder: dir })).rejects.toMatchObject({
      code: 'refused',
    })
  })

  test('has no mode to set', async () => {
    const dir = scratch()
    symlinkSync('victim', `${dir}/l`)
    writeFileSync(`${dir}/victim`, '')
    await expect(files.setAttributes(`${dir}/l`, { mode: '0777', folder: dir })).rejects.toMatchObject({
      code: 'refused',
    })
    expect(modeOf(`${dir}/victim`)).toBe('644')
  })
})

describe('removing', () => {
  test('takes away files, links and empty directories, and says what became of the rest', async () => {
    const dir = scratch()
    folders(dir, 'empty', 'full')
    for (const name of ['file', 'full/f', 'victim']) writeFileSync(`${dir}/${name}`, '')
    symlinkSync('victim', `${dir}/link`)
    const outcomes = []
    for (const name of ['file', 'link', 'empty', 'full', 'none', 'none/none', 'victim/none'])
      outcomes.push(`${name} ${await files.remove(`${dir}/${name}`)}`)
    expect(outcomes).toEqual([
      'file removed',
      'link removed',
      'empty removed',
      'full not-empty',
      'none absent',
      'none/none absent',
      'victim/none absent',
    ])
    expect(readdirSync(dir)).toEqual(['full', 'victim'])
  })

  test('a folder that was swapped for a link had the thing behind the link removed', async () => {
    const dir = scratch()
    folders(dir, 'app', 'victim')
    for (const name of ['app/f', 'victim/f']) writeFileSync(`${dir}/${name}`, '')
    const { folder } = await files.inspect(`${dir}/app/f`)
    renameSync(`${dir}/app`, `${dir}/old`)
    symlinkSync('victim', `${dir}/app`)
    await expect(files.remove(`${dir}/app/f`, { folder })).rejects.toMatchObject({ code: 'plan-stale' })
    expect(readdirSync(`${dir}/victim`)).toEqual(['f'])
  })

  test('leaves alone what is not that very thing any more', async () => {
    const dir = scratch()
    writeFileSync(`${dir}/f`, 'a')
    const [listed] = await files.list(dir)
    writeFileSync(`${dir}/f`, 'b')
    expect(await files.remove(`${dir}/f`, { fingerprint: listed?.fingerprint ?? '' })).toBe('changed')
    rmSync(`${dir}/f`)
    expect(await files.remove(`${dir}/f`, { fingerprint: listed?.fingerprint ?? '' })).toBe('absent')
  })

  test('takes away a whole tree as it was listed, children first', async () => {
    const dir = scratch()
    folders(dir, 'top/a/b')
    writeFileSync(`${dir}/top/a/b/f`, '')
    const listed = await files.list(`${dir}/top`)
    for (const { path, fingerprint } of listed.toReversed())
      expect(await files.remove(path, { fingerprint })).toBe('removed')
    expect(readdirSync(`${dir}/top`)).toEqual([])
  })
})

describe('cleaning up', () => {
  test('removes what a killed write may have left, and nothing else', async () => {
    const dir = scratch()
    const long = 'a'.repeat(255)
    for (const name of ['f', temporaryName('f'), temporaryName('other'), temporaryName(long)])
      writeFileSync(`${dir}/${name}`, '')
    symlinkSync('x', `${dir}/${temporaryName('l')}`)
    for (const name of ['f', 'l', long, 'none', 'none/none']) await files.cleanUp(`${dir}/${name}`)
    expect(readdirSync(dir).sort()).toEqual([temporaryName('other'), 'f'].sort())
  })
})

describe('owners and groups', () => {
  test('that do not exist are named', async () => {
    const dir = scratch()
    const unknown = { code: 'no-such-user', message: 'there is no user "nosuchuser" on this machine' }
    await expect(files.checkPrincipals({ owner: 'nosuchuser' })).rejects.toMatchObject(unknown)
    await expect(
      files.writeFile(`${dir}/f`, text(''), { folder: dir, owner: 'nosuchuser' }),
    ).rejects.toMatchObject(unknown)
    await expect(files.checkPrincipals({ group: 'nosuchgroup' })).rejects.toMatchObject({
      code: 'no-such-user',
    })
    await files.checkPrincipals({ owner: 'root', group: 0 })
    expect(readdirSync(dir)).toEqual([])
  })

  describeWith(root, 'as root', () => {
    test('are set by name and by number, on everything, and kept when left out', async () => {
      const dir = scratch()
      await files.writeFile(`${dir}/f`, text('a'), { folder: dir, owner: 'daemon', group: 2, mode: '4755' })
      await files.writeFile(`${dir}/f`, text('b'), { folder: dir })
      await files.makeDirectory(`${dir}/d`, { folder: dir, owner: '1', group: 'bin' })
      await files.makeSymlink(`${dir}/l`, 'f', { folder: dir, owner: 1, group: 2 })
      await files.makeSymlink(`${dir}/l`, 'g', { folder: dir })
      for (const name of ['f', 'd', 'l'])
        expect(await files.inspect(`${dir}/${name}`), name).toMatchObject({
          owner: { id: 1, name: 'daemon' },
          group: { id: 2, name: 'bin' },
        })
      expect(modeOf(`${dir}/f`)).toBe('4755')
    })
  })

  describeWith(unprivileged, 'without the right', () => {
    test('are refused, and nothing is left behind', async () => {
      const dir = scratch()
      chmodSync(dir, 0o777)
      await asOrdinaryUser(async () => {
        await expect(
          files.writeFile(`${dir}/f`, text(''), { folder: dir, owner: 'daemon' }),
        ).rejects.toMatchObject({
          code: 'system',
          message: expect.stringContaining(`${dir}/f: operation not permitted`),
        })
      })
      expect(readdirSync(dir)).toEqual([])
    })
  })
})

describe('a host that refuses', () => {
  describeWith(unprivileged, 'permission', () => {
    test('is told with the path and what to do', async () => {
      const dir = scratch()
      folders(dir, 'closed')
      chmodSync(`${dir}/closed`, 0o555)
      await asOrdinaryUser(async () => {
        await expect(
          files.writeFile(`${dir}/closed/f`, text(''), { folder: `${dir}/closed` }),
        ).rejects.toMatchObject({
          code: 'system',
          message: `${dir}/closed/f: permission denied (EACCES from open)`,
          hint: expect.stringContaining('run as a user'),
          data: { errno: 'EACCES', path: `${dir}/closed/f` },
        })
      })
    })
  })

  describeWith(mounting, 'space', () => {
    test('keeps what was there, whole, and nothing half-written', async () => {
      const disk = tinyDisk(64)
      await files.writeFile(`${disk}/f`, text('old'), { folder: disk })
      for (const size of [100_000, 1_000_000])
        await expect(
          files.writeFile(`${disk}/f`, Buffer.alloc(size), { folder: disk }),
        ).rejects.toMatchObject({
          code: 'system',
          message: expect.stringMatching(`^${disk}/f: the disk is full \\(ENOSPC from \\w+\\)$`),
          hint: expect.stringContaining('free some space'),
        })
      expect([read(`${disk}/f`), readdirSync(disk)]).toEqual(['old', ['f']])
    })
  })

  describeWith(mounting, 'writing', () => {
    test('is told as read-only', async () => {
      const disk = tinyDisk(64)
      writeFileSync(`${disk}/f`, 'old')
      makeReadOnly(disk)
      const refused = {
        code: 'system',
        message: expect.stringContaining(`${disk}/f: the file system is read-only`),
      }
      await expect(files.writeFile(`${disk}/f`, text('new'), { folder: disk })).rejects.toMatchObject(refused)
      await expect(files.setAttributes(`${disk}/f`, { mode: '0600', folder: disk })).rejects.toMatchObject(
        refused,
      )
      await expect(files.remove(`${disk}/f`)).rejects.toMatchObject(refused)
    })
  })
})
