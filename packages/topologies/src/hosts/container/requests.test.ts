import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { Sessions } from '../sessions.ts'
import { ExecChannel } from './channel.ts'
import { parseLook } from './requests.ts'
import { FileServer } from './server.ts'

test('a look is read as it was printed, by GNU and by BusyBox', () => {
  const line =
    '=81a4 5 1000 100 4711 65024 1795192745 1795192746|2026-11-20 16:39:05.393022417 +0000|2026-11-20 16:39:06.4 +0000|/srv/a|b'
  expect(parseLook(line)).toEqual({
    path: '/srv/a|b',
    stat: {
      type: 'file',
      size: 5,
      mode: 0o644,
      uid: 1000,
      gid: 100,
      inode: '4711',
      device: 65024n,
      mtimeNs: 1_795_192_745_393_022_417n,
      ctimeNs: 1_795_192_746_400_000_000n,
    },
  })
})

test.each([
  ['41ed', 'directory', 0o755],
  ['a1ff', 'symlink', 0o777],
  ['11a4', 'other', 0o644],
  ['89ed', 'file', 0o4755],
])('the mode %s is of a %s', (mode, type, bits) => {
  expect(parseLook(`=${mode} 0 0 0 1 1 0 0|1970-01-01 00:00:00|1970-01-01 00:00:00|/x`)?.stat).toMatchObject({
    type,
    mode: bits,
    mtimeNs: 0n,
  })
})

test.each(['', "stat: cannot statx '/x': Permission denied", '=81a4 5'])('%j is no look', (line) => {
  expect(parseLook(line)).toBeUndefined()
})

/** A connection whose only program answers with these bytes, in pieces of a size. */
async function serverThatSays(size: number, say: (mark: string) => Buffer) {
  const written: Buffer[] = []
  const raw = new PassThrough()
  const lost = new AbortController()
  const sessions: Sessions = {
    connection: { endpoint: { name: 'kiosk' }, lost: lost.signal, failure: () => lost.signal.reason },
    async session(argv, use) {
      const mark = argv.at(-1) ?? ''
      const channel = new ExecChannel(raw, async () => undefined)
      channel.write = ((chunk: Uint8Array | string) => {
        written.push(Buffer.from(chunk as string))
        return true
      }) as never
      const used = use(channel)
      const bytes = say(mark)
      const header = Buffer.alloc(8)
      header[0] = 1
      header.writeUInt32BE(bytes.length, 4)
      setImmediate(() => {
        const all = Buffer.concat([header, bytes])
        for (let at = 0; at < all.length; at += size) raw.write(all.subarray(at, at + size))
      })
      return used
    },
  }
  return { server: await FileServer.start(sessions), written, raw }
}

test.each([1, 5, 26, 27, 100_000])(
  'answers are told apart when they come in pieces of %i bytes',
  async (size) => {
    const binary = Buffer.from(Array.from({ length: 700 }, (_, i) => i % 256))
    const { server, written } = await serverThatSays(size, (mark) =>
      Buffer.concat([
        binary,
        Buffer.from(`\n${mark} 0\n`),
        Buffer.from(`first\n${mark.slice(0, -1)}? 7\n\n${mark} 1\nsecond\n${mark} 99\n`),
      ]),
    )
    const [one, both] = await Promise.all([
      server.ask({ verb: 'part', words: ['/a b', 1] }),
      server.ask({ verb: 'content', words: ['/it\\ä'], content: Buffer.from('raw'), parts: 2 }),
    ])
    expect(one).toEqual([{ status: 0, bytes: binary }])
    expect(both.map(({ status }) => status)).toEqual([1, 99])
    expect(String(both[1]?.bytes)).toBe('second')
    expect(Buffer.concat(written).toString('latin1')).toBe(
      'part\n/a\\0040b\n1\ncontent\n/it\\0134\\0303\\0244\nraw',
    )
  },
)

test('a shell that ends leaves nobody waiting', async () => {
  const { server, raw } = await serverThatSays(100, () => Buffer.from('half an answer'))
  const asked = server.ask({ verb: 'look', words: [1, '/x'] })
  setImmediate(() => raw.destroy())
  await expect(asked).rejects.toMatchObject({ code: 'unreachable' })
  expect(server.ended).toBe(true)
})

test('no path holds a NUL character', async () => {
  const { server } = await serverThatSays(100, () => Buffer.alloc(0))
  await expect(server.ask({ verb: 'look', words: [1, '/a\0b'] })).rejects.toMatchObject({
    code: 'invalid-value',
  })
})
