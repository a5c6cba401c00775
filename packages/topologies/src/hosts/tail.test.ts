import { expect, test } from 'vitest'
import { tail } from './tail.ts'

const text = (of: Uint8Array) => Buffer.from(of).toString()

test.each([
  { limit: 4, chunks: [], kept: '', cut: 0 },
  { limit: 4, chunks: ['ab'], kept: 'ab', cut: 0 },
  { limit: 4, chunks: ['ab', 'cd'], kept: 'abcd', cut: 0 },
  { limit: 4, chunks: ['ab', 'cd', 'e'], kept: 'bcde', cut: 1 },
  { limit: 4, chunks: ['abcdefghij'], kept: 'ghij', cut: 6 },
  { limit: 4, chunks: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'], kept: 'hijk', cut: 7 },
  { limit: 0, chunks: ['abc'], kept: '', cut: 3 },
])('of $limit bytes of $chunks is "$kept", with $cut cut', ({ limit, chunks, kept, cut }) => {
  const end = tail(limit)
  for (const chunk of chunks) end.add(Buffer.from(chunk))
  expect([text(end.bytes()), end.cut()]).toEqual([kept, cut])
})

test('can be asked twice, and goes on after that', () => {
  const end = tail(3)
  end.add(Buffer.from('abcd'))
  expect(text(end.bytes())).toBe('bcd')
  end.add(Buffer.from('e'))
  expect([text(end.bytes()), text(end.bytes()), end.cut()]).toEqual(['cde', 'cde', 2])
})

test('holds on to none of the chunks that it was given', () => {
  const end = tail(2)
  const chunk = Buffer.from('xxxxab')
  end.add(chunk)
  end.bytes()
  chunk.fill('z')
  expect(text(end.bytes())).toBe('ab')
})
