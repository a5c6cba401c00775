import { expect, test } from 'vitest'
import { demux } from './logs.ts'
import { followPull, loadedImages } from './progress.ts'

/** In pieces that end anywhere. */
async function* sent(text: string | Buffer, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const lines = (...all: readonly object[]) => all.map((each) => `${JSON.stringify(each)}\r\n`).join('')

test('the layers of an image are told as one', async () => {
  const told: unknown[] = []
  const text = lines(
    { status: 'Pulling from app', id: '1' },
    { status: 'Downloading', id: 'a', progressDetail: { current: 1, total: 10 } },
    { status: 'Downloading', id: 'b', progressDetail: { current: 5, total: 20 } },
    { status: 'Downloading', id: 'a', progressDetail: { current: 10, total: 10 } },
    { status: 'Status: Downloaded newer image for app:1' },
  )
  await followPull(sent(text), (...each) => told.push(each))
  expect(told).toEqual([
    ['fetching the image', 1, 10],
    ['fetching the image', 6, 30],
    ['fetching the image', 15, 30],
  ])
})

test('an error within an answer that began well is an error', async () => {
  const text = lines({ status: 'Pulling' }, { error: 'manifest unknown', errorDetail: {} })
  await expect(followPull(sent(text), undefined)).rejects.toMatchObject({ message: 'manifest unknown' })
  await expect(loadedImages(sent(text))).rejects.toMatchObject({ message: 'manifest unknown' })
})

test('an answer that ends before the image is there is a broken connection', async () => {
  const text = lines({ status: 'Downloading', id: 'a', progressDetail: { current: 1, total: 10 } })
  await expect(followPull(sent(text), undefined)).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test('images of an archive are told by name or by id', async () => {
  const text = lines({ stream: 'Loaded image: app:1\n' }, { stream: 'Loaded image ID: sha256:12\n' })
  expect(await loadedImages(sent(text))).toEqual(['app:1', 'sha256:12'])
})

test('what a container has written is taken out of its frames', async () => {
  const frame = (stream: number, text: string) => {
    const header = Buffer.alloc(8)
    header[0] = stream
    header.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([header, Buffer.from(text)])
  }
  const all = Buffer.concat([frame(1, 'one\ntw'), frame(2, 'oops\n'), frame(1, 'größer\n')])
  expect(await demux(sent(all), false)).toEqual(['one', 'twoops', 'größer'])
  expect(await demux(sent('a\r\nb'), true)).toEqual(['a', 'b'])
})
