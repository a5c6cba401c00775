/**
 * The simulated files and those of a Linux host are one capability: the same calls give the same answers and the same
 * refusals in the same words. A test that passes in memory then says something about a machine.
 */
import type { FileSystem, KeptEntry } from '@harmony-iac/core/capabilities'
import { SimulatedTopology } from '@harmony-iac/core/testing'
import { expect, test } from 'vitest'
import { scratch } from '../../test/scratch.ts'
import { localHost } from '../hosts/local.ts'
import { linuxFiles } from './files.ts'

type At = (path: string) => string
type Scenario = (files: FileSystem, at: At) => Promise<unknown>

const bytes = (text: string) => Buffer.from(text)
const here = (at: At) => ({ folder: at('') })
const write = (files: FileSystem, at: At, path: string, text: string, more = {}) =>
  files.writeFile(at(path), bytes(text), { ...here(at), ...more })
const look = (files: FileSystem, at: At, path: string) => files.inspect(at(path), { content: true })

const scenarios: Readonly<Record<string, Scenario>> = {
  'nothing, in a folder': (files, at) => look(files, at, 'none'),
  'nothing, in no folder': (files, at) => look(files, at, 'none/none'),
  'nothing, below a file': async (files, at) => {
    await write(files, at, 'file', '')
    return await look(files, at, 'file/none')
  },
  'a new file': async (files, at) => {
    await write(files, at, 'new', 'text')
    return await look(files, at, 'new')
  },
  'a file that is not read': async (files, at) => {
    await write(files, at, 'new', 'text')
    return await files.inspect(at('new'))
  },
  'a large file': async (files, at) => {
    await write(files, at, 'large', 'x'.repeat(70_000))
    return await look(files, at, 'large')
  },
  'a new file with a mode': async (files, at) => {
    await write(files, at, 'new', 'text', { mode: '0600' })
    return await look(files, at, 'new')
  },
  'an old file keeps its mode': async (files, at) => {
    await write(files, at, 'old', 'text', { mode: '0604' })
    await write(files, at, 'old', 'new text')
    return await look(files, at, 'old')
  },
  'a file in place of a link': async (files, at) => {
    await files.makeSymlink(at('it'), 'elsewhere', here(at))
    await write(files, at, 'it', 'text')
    return await look(files, at, 'it')
  },
  'a file in place of a directory': async (files, at) => {
    await files.makeDirectory(at('it'), here(at))
    await write(files, at, 'it', 'text')
  },
  'a file in no folder': (files, at) => files.writeFile(at('none/file'), bytes(''), { folder: undefined }),
  'a file in another folder than was seen': async (files, at) => {
    await files.makeDirectory(at('one'), here(at))
    await files.makeDirectory(at('two'), here(at))
    await files.makeSymlink(at('link'), 'two', here(at))
    await files.writeFile(at('link/file'), bytes(''), { folder: at('one') })
  },
  'a file through a folder that is a link': async (files, at) => {
    await files.makeDirectory(at('real'), here(at))
    await files.makeSymlink(at('link'), 'real', here(at))
    await files.writeFile(at('link/file'), bytes('text'), { folder: at('real') })
    return [await look(files, at, 'link/file'), await look(files, at, 'real/file')]
  },
  'a file whose owner nobody knows': (files, at) => write(files, at, 'it', '', { owner: 'nobody-knows' }),
  'content that is validated': async (files, at) => {
    await write(files, at, 'it', 'text', { validate: ['true', '{}'] })
    return await look(files, at, 'it')
  },
  'content that is refused': async (files, at) => {
    await write(files, at, 'it', 'good')
    const refusal = await outcome(() => write(files, at, 'it', 'bad', { validate: ['false', '{}'] }))
    return [refusal, await look(files, at, 'it'), await names(files, at)]
  },
  'a new directory': async (files, at) => {
    await files.makeDirectory(at('it'), here(at))
    return await look(files, at, 'it')
  },
  'an old directory gets its mode': async (files, at) => {
    await files.makeDirectory(at('it'), here(at))
    await files.makeDirectory(at('it'), { ...here(at), mode: '0700' })
    return await look(files, at, 'it')
  },
  'a directory in place of a file': async (files, at) => {
    await write(files, at, 'it', '')
    await files.makeDirectory(at('it'), here(at))
  },
  'a directory in place of a link': async (files, at) => {
    await files.makeSymlink(at('it'), 'elsewhere', here(at))
    await files.makeDirectory(at('it'), here(at))
  },
  'a directory in no folder': (files, at) => files.makeDirectory(at('none/it'), { folder: undefined }),
  'a link, and another in its place': async (files, at) => {
    await files.makeSymlink(at('it'), 'one', here(at))
    await files.makeSymlink(at('it'), 'two', here(at))
    return await look(files, at, 'it')
  },
  'a link in place of a file': async (files, at) => {
    await write(files, at, 'it', '')
    await files.makeSymlink(at('it'), 'two', here(at))
    return await look(files, at, 'it')
  },
  'a link in place of a directory': async (files, at) => {
    await files.makeDirectory(at('it'), here(at))
    await files.makeSymlink(at('it'), 'two', here(at))
  },
  'another mode': async (files, at) => {
    await write(files, at, 'it', 'text')
    await files.setAttributes(at('it'), { ...here(at), mode: '0400' })
    return await look(files, at, 'it')
  },
  'the mode of a link': async (files, at) => {
    await files.makeSymlink(at('it'), 'two', here(at))
    await files.setAttributes(at('it'), { ...here(at), mode: '0400' })
  },
  'the mode of nothing': (files, at) => files.setAttributes(at('none'), { ...here(at), mode: '0400' }),
  'removing what is there': async (files, at) => {
    await write(files, at, 'file', '')
    await files.makeDirectory(at('directory'), here(at))
    await files.makeSymlink(at('link'), 'directory', here(at))
    const removed = []
    for (const name of ['link', 'file', 'directory']) removed.push(await files.remove(at(name)))
    return [removed, await names(files, at)]
  },
  'removing what is not there': async (files, at) => [
    await files.remove(at('none')),
    await files.remove(at('none/none')),
  ],
  'removing what is not empty': async (files, at) => {
    await files.makeDirectory(at('it'), here(at))
    await files.writeFile(at('it/file'), bytes(''), { folder: at('it') })
    return [await files.remove(at('it')), await names(files, at)]
  },
  'removing only this very file': async (files, at) => {
    await write(files, at, 'it', 'text')
    const { fingerprint } = (await look(files, at, 'it')) as { fingerprint: string }
    await write(files, at, 'it', 'text')
    const other = await files.remove(at('it'), { fingerprint })
    const { fingerprint: now } = (await look(files, at, 'it')) as { fingerprint: string }
    return [other, await files.remove(at('it'), { fingerprint: now })]
  },
  'a directory is the same with other entries': async (files, at) => {
    await files.makeDirectory(at('it'), here(at))
    const before = (await look(files, at, 'it')) as { fingerprint: string }
    await files.writeFile(at('it/file'), bytes(''), { folder: at('it') })
    const after = (await look(files, at, 'it')) as { fingerprint: string }
    return before.fingerprint === after.fingerprint
  },
  'a list, parents first': async (files, at) => {
    for (const name of ['b', 'a']) {
      await files.makeDirectory(at(name), here(at))
      await files.makeSymlink(at(`${name}/link`), '..', { folder: at(name) })
      await files.writeFile(at(`${name}/file`), bytes(''), { folder: at(name) })
    }
    const listed = await files.list(at(''))
    const seen = new Set([at('')])
    for (const { path } of listed) {
      expect(seen).toContain(path.slice(0, path.lastIndexOf('/')))
      seen.add(path)
    }
    return listed.map(({ path, type }) => `${type} ${path}`).sort()
  },
  'a list of nothing': async (files, at) => [
    await files.list(at('none')),
    await write(files, at, 'x', ''),
    await files.list(at('x')),
  ],
  'where links lead': async (files, at) => {
    await files.makeDirectory(at('real'), here(at))
    await files.makeSymlink(at('relative'), './real/', here(at))
    await files.makeSymlink(at('absolute'), at('relative'), here(at))
    await files.makeSymlink(at('dangling'), 'real/none', here(at))
    await files.makeSymlink(at('lost'), 'none/none', here(at))
    await files.makeSymlink(at('loop'), 'loop', here(at))
    const found = []
    for (const name of ['real', 'relative', 'absolute', 'dangling']) found.push(await files.resolve(at(name)))
    return [
      found,
      codeOf(await outcome(() => files.resolve(at('lost')))),
      codeOf(await outcome(() => files.resolve(at('loop')))),
    ]
  },
  'unknown users': (files) => files.checkPrincipals({ owner: 'nobody-knows' }),
  'unknown groups': (files) => files.checkPrincipals({ group: 'nobody-knows' }),
  'known and numbered users': (files) => files.checkPrincipals({ owner: 'root', group: 4711 }),
  'a file that is put back': async (files, at) => {
    await write(files, at, 'it', 'theirs', { mode: '0604' })
    const kept = stored(await files.keep(at('it')))
    await write(files, at, 'it', 'ours', { mode: '0600' })
    await files.putBack(at('it'), kept)
    await files.putBack(at('it'), kept)
    return [await look(files, at, 'it'), await names(files, at)]
  },
  'a file of which the copy is gone': async (files, at) => {
    await write(files, at, 'it', 'theirs')
    const kept = stored(await files.keep(at('it')))
    await files.putBack(at('it'), kept)
    await write(files, at, 'it', 'ours')
    await files.putBack(at('it'), kept)
  },
  'a link that is put back': async (files, at) => {
    await files.makeSymlink(at('it'), 'theirs', here(at))
    const kept = stored(await files.keep(at('it')))
    await write(files, at, 'it', 'ours')
    await files.putBack(at('it'), kept)
    await files.putBack(at('it'), kept)
    return await look(files, at, 'it')
  },
  'a directory whose mode is put back': async (files, at) => {
    await files.makeDirectory(at('it'), { ...here(at), mode: '0711' })
    const kept = stored(await files.keep(at('it')))
    await files.setAttributes(at('it'), { ...here(at), mode: '0700' })
    await files.putBack(at('it'), kept)
    await files.remove(at('it'))
    await files.putBack(at('it'), kept)
    return await look(files, at, 'it')
  },
  'nothing that is put back': async (files, at) => {
    const kept = stored(await files.keep(at('it')))
    await write(files, at, 'it', 'ours')
    await files.putBack(at('it'), kept)
    await files.putBack(at('it'), kept)
    return await look(files, at, 'it')
  },
  'a file in place of our directory': async (files, at) => {
    await write(files, at, 'it', 'theirs')
    const kept = stored(await files.keep(at('it')))
    await files.remove(at('it'))
    await files.makeDirectory(at('it'), here(at))
    await files.putBack(at('it'), kept)
  },
  'cleaning up where nothing is left': async (files, at) => [
    await files.cleanUp(at('none')),
    await files.cleanUp(at('none/none')),
  ],
}

test.each(Object.entries(scenarios))('%s', async (_, scenario) => {
  const real = scratch()
  const aside = scratch()
  const linux = linuxFiles(localHost(), { keepFolder: async () => `${aside}/kept` })
  const onMachine = await outcome(
    () => scenario(linux, atRoot(`${real}/disk`)),
    async () => {
      await linux.makeDirectory(`${real}/disk`, { folder: real })
    },
  )

  const simulated = new SimulatedTopology({ files: { '/disk': { directory: true } } })
  simulated.shell.on('false', () => ({ exitCode: 1 }))
  const inMemory = await outcome(() => scenario(simulated.files, atRoot('/disk')))
  expect(plain(inMemory, '')).toEqual(plain(onMachine, real))
})

function atRoot(root: string): At {
  return (path) => (path === '' ? root : `${root}/${path}`)
}

interface Outcome {
  readonly result?: unknown
  readonly error?: {
    readonly code: unknown
    readonly message: string
    readonly hint: unknown
    readonly errno: unknown
  }
}

async function outcome(work: () => Promise<unknown>, first?: () => Promise<void>): Promise<Outcome> {
  await first?.()
  try {
    return { result: await work() }
  } catch (thrown) {
    const { code, message, hint, data } = thrown as {
      code?: unknown
      message: string
      hint?: unknown
      data?: { errno?: unknown }
    }
    return { error: { code, message, hint, errno: data?.errno } }
  }
}

function codeOf({ error }: Outcome): unknown {
  return error ? 'refused' : 'found'
}

async function names(files: FileSystem, at: At): Promise<readonly string[]> {
  return (await files.list(at(''))).map(({ path }) => path)
}

/** As the ledger gives it back. */
function stored(kept: KeptEntry): KeptEntry {
  return JSON.parse(JSON.stringify(kept)) as KeptEntry
}

/** Without what differs between any two machines: identities, users, and where the disk is. */
function plain(value: unknown, root: string): unknown {
  const text = JSON.stringify(value, (key, each: unknown) => {
    if (key === 'fingerprint' || key === 'owner' || key === 'group') return undefined
    if (each instanceof Uint8Array) return Buffer.from(each).toString()
    if (typeof each === 'object' && each !== null && (each as { type?: unknown }).type === 'Buffer')
      return Buffer.from((each as { data: number[] }).data).toString()
    return each
  })
  return JSON.parse(
    (text ?? 'null').replaceAll(`${root}/disk`, '/disk').replaceAll(/ on (?:this machine|this host)/g, ''),
  ) as unknown
}
