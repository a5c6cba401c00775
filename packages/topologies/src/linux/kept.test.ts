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
import { faultyHost } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { describeWith } from '../../../../scripts/testing/require-part.ts'
import { folders, root, scratch } from '../../test/scratch.ts'
import { localHost } from '../hosts/local.ts'
import { linuxFiles } from './files.ts'

/** A folder with things in it, and files that keep copies beside it. */
function setUp(host = localHost()) {
  const base = scratch()
  folders(base, 'srv')
  const kept = `${base}/state/kept`
  return { dir: `${base}/srv`, kept, files: linuxFiles(host, { keepFolder: async () => kept }) }
}

const text = (content: string) => Buffer.from(content)
const read = (path: string) => readFileSync(path, 'utf8')

describe('what is kept and put back', () => {
  test('is a file with its content and mode; the copy is owner-only and goes', async () => {
    const { dir, kept, files } = setUp()
    writeFileSync(`${dir}/f`, 'before')
    chmodSync(`${dir}/f`, 0o751)
    const note = await files.keep(`${dir}/f`)
    const [copy] = readdirSync(kept)
    expect([statSync(kept).mode & 0o777, statSync(`${kept}/${copy}`).mode & 0o777]).toEqual([0o700, 0o600])
    expect(JSON.parse(JSON.stringify(note))).toEqual(note)
    await files.writeFile(`${dir}/f`, text('ours'), { folder: dir, mode: '0600' })
    await files.putBack(`${dir}/f`, note)
    expect([read(`${dir}/f`), statSync(`${dir}/f`).mode & 0o777]).toEqual(['before', 0o751])
    expect(existsSync(kept)).toBe(false)
  })

  test('is a file of any size', async () => {
    const { dir, files } = setUp()
    const content = Buffer.alloc(3_000_000, 'abcdefg')
    writeFileSync(`${dir}/f`, content)
    const note = await files.keep(`${dir}/f`)
    rmSync(`${dir}/f`)
    await files.putBack(`${dir}/f`, note)
    expect(readFileSync(`${dir}/f`).equals(content)).toBe(true)
  })

  test('is a link with its target', async () => {
    const { dir, files } = setUp()
    symlinkSync('../else where', `${dir}/l`)
    const note = await files.keep(`${dir}/l`)
    await files.writeFile(`${dir}/l`, text('ours'), { folder: dir })
    await files.putBack(`${dir}/l`, note)
    expect(readlinkSync(`${dir}/l`)).toBe('../else where')
  })

  test('is a directory with its attributes', async () => {
    const { dir, files } = setUp()
    mkdirSync(`${dir}/d`, { mode: 0o700 })
    writeFileSync(`${dir}/d/f`, '')
    const note = await files.keep(`${dir}/d`)
    chmodSync(`${dir}/d`, 0o755)
    await files.putBack(`${dir}/d`, note)
    expect([statSync(`${dir}/d`).mode & 0o777, readdirSync(`${dir}/d`)]).toEqual([0o700, ['f']])
  })

  test('may be nothing', async () => {
    const { dir, files } = setUp()
    const note = await files.keep(`${dir}/f`)
    await files.writeFile(`${dir}/f`, text('ours'), { folder: dir })
    await files.putBack(`${dir}/f`, note)
    await files.putBack(`${dir}/f`, note)
    expect(readdirSync(dir)).toEqual([])
  })

  describeWith(root, 'belongs', () => {
    test('to whom it belonged', async () => {
      const { dir, files } = setUp()
      const { chownSync, lchownSync } = await import('node:fs')
      writeFileSync(`${dir}/f`, '')
      symlinkSync('x', `${dir}/l`)
      chownSync(`${dir}/f`, 1, 2)
      lchownSync(`${dir}/l`, 3, 4)
      const notes = [await files.keep(`${dir}/f`), await files.keep(`${dir}/l`)]
      for (const name of ['f', 'l']) rmSync(`${dir}/${name}`)
      for (const [i, name] of ['f', 'l'].entries())
        await files.putBack(`${dir}/${name}`, notes[i] ?? { type: '' })
      expect(
        ['f', 'l'].map((name) => [lstatSync(`${dir}/${name}`).uid, lstatSync(`${dir}/${name}`).gid]),
      ).toEqual([
        [1, 2],
        [3, 4],
      ])
    })
  })
})

describe('keeping', () => {
  test('the same thing twice makes one copy, so that a kill in between leaves no orphan', async () => {
    const { dir, kept, files } = setUp()
    writeFileSync(`${dir}/f`, 'before')
    expect(await files.keep(`${dir}/f`)).toEqual(await files.keep(`${dir}/f`))
    expect(readdirSync(kept)).toHaveLength(1)
  })

  test('another thing at the same path makes another copy', async () => {
    const { dir, kept, files } = setUp()
    writeFileSync(`${dir}/f`, 'one')
    const first = await files.keep(`${dir}/f`)
    writeFileSync(`${dir}/f`, 'two')
    await files.keep(`${dir}/f`)
    expect(readdirSync(kept)).toHaveLength(2)
    await files.putBack(`${dir}/f`, first)
    expect([read(`${dir}/f`), readdirSync(kept).length]).toEqual(['one', 1])
  })

  test('refuses what cannot be kept', async () => {
    const { files } = setUp()
    await expect(files.keep('/dev/null')).rejects.toMatchObject({ code: 'refused' })
  })
})

describe('putting back', () => {
  test('twice is fine', async () => {
    const { dir, files } = setUp()
    writeFileSync(`${dir}/f`, 'before')
    const note = await files.keep(`${dir}/f`)
    await files.writeFile(`${dir}/f`, text('ours'), { folder: dir })
    await files.putBack(`${dir}/f`, note)
    await files.putBack(`${dir}/f`, note)
    expect(read(`${dir}/f`)).toBe('before')
  })

  test('says so when the copy is gone', async () => {
    const { dir, kept, files } = setUp()
    writeFileSync(`${dir}/f`, 'before')
    const note = await files.keep(`${dir}/f`)
    writeFileSync(`${dir}/f`, 'ours')
    rmSync(kept, { recursive: true })
    await expect(files.putBack(`${dir}/f`, note)).rejects.toMatchObject({
      code: 'refused',
      hint: expect.any(String),
    })
    expect(read(`${dir}/f`)).toBe('ours')
  })

  test('refuses a copy that somebody has changed', async () => {
    const { dir, kept, files } = setUp()
    writeFileSync(`${dir}/f`, 'before')
    const note = await files.keep(`${dir}/f`)
    writeFileSync(`${dir}/f`, 'ours')
    writeFileSync(`${kept}/${readdirSync(kept)[0]}`, 'forged')
    await expect(files.putBack(`${dir}/f`, note)).rejects.toMatchObject({ code: 'refused' })
    expect([read(`${dir}/f`), readdirSync(dir)]).toEqual(['ours', ['f']])
  })

  test('refuses a folder that was swapped for a link', async () => {
    const { dir, files } = setUp()
    folders(`${dir}/..`, 'victim')
    writeFileSync(`${dir}/f`, 'before')
    const note = await files.keep(`${dir}/f`)
    renameSync(dir, `${dir}.away`)
    symlinkSync('victim', dir)
    await expect(files.putBack(`${dir}/f`, note)).rejects.toMatchObject({ code: 'plan-stale' })
    expect(readdirSync(`${dir}/../victim`)).toEqual([])
  })

  test.each([
    { type: 'file' },
    {
      type: 'file',
      mode: '0644',
      uid: 0,
      gid: 0,
      folder: '/',
      copy: '../../etc/passwd',
      sha256: '',
      size: 0,
    },
    { type: 'rocket', mode: '0644', uid: 0, gid: 0, folder: '/' },
  ])('refuses a note that makes no sense: %j', async (note) => {
    const { dir, files } = setUp()
    await expect(files.putBack(`${dir}/f`, note)).rejects.toMatchObject({ code: 'ledger-corrupt' })
  })
})

/** Every write of keeping, overwriting and putting back fails once, before and after it was made; then all is done again. */
describe('when any write fails', () => {
  const work = async ({ dir, files }: ReturnType<typeof setUp>) => {
    const note = await files.keep(`${dir}/f`)
    await files.writeFile(`${dir}/f`, text('ours'), { folder: dir })
    return note
  }

  test('putting back works the next time, and leaves nothing', async () => {
    const counting = faultyHost(localHost())
    const rehearsal = setUp(counting)
    writeFileSync(`${rehearsal.dir}/f`, 'before')
    const note = await work(rehearsal)
    const worked = counting.faults.calls.length
    await rehearsal.files.putBack(`${rehearsal.dir}/f`, note)
    const all = counting.faults.calls.length
    expect(all).toBeGreaterThan(worked + 4)
    for (const when of ['before', 'after'] as const)
      for (let at = worked + 1; at <= all; at++) {
        const faulty = setUp(faultyHost(localHost(), { at, when, kind: 'error', errno: 'EIO' }))
        writeFileSync(`${faulty.dir}/f`, 'before')
        const kept = await work(faulty)
        const outcome = await faulty.files.putBack(`${faulty.dir}/f`, kept).then(
          () => 'done',
          () => 'failed',
        )
        expect(outcome, `${when} ${at}`).toBe('failed')
        await faulty.files.putBack(`${faulty.dir}/f`, kept)
        expect([read(`${faulty.dir}/f`), readdirSync(faulty.dir)], `${when} ${at}`).toEqual(['before', ['f']])
        expect(existsSync(faulty.kept) ? readdirSync(faulty.kept) : []).toEqual([])
      }
  })
})
