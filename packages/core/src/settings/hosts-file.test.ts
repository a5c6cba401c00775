import { describe, expect, test } from 'vitest'
import { namesHost, ownLine, withHostName, withOwnLine } from './hosts-file.ts'

const local = '127.0.0.1\tlocalhost'
const v6 = '::1\tlocalhost ip6-localhost'

test.each<[what: string, before: string, name: string, old: readonly string[], after: string]>([
  ['a line of its own', '127.0.1.1\told', 'new', ['old'], '127.0.1.1\tnew'],
  ['its domain stays', '127.0.1.1 old.lan old', 'new', ['old'], '127.0.1.1\tnew.lan new'],
  ['with another domain', '127.0.1.1 old.lan old', 'new.dmz', ['old'], '127.0.1.1\tnew.dmz new'],
  ['other names stay', '127.0.1.1 old api.lan # ours', 'new', ['old'], '127.0.1.1\tnew api.lan # ours'],
  ['whatever its case', '127.0.1.1 OLD', 'new', ['old'], '127.0.1.1\tnew'],
  ['nobody knows the old name', '127.0.1.1 half.lan half', 'new', ['new'], '127.0.1.1\tnew.lan new'],
  ['none of its own', `${local} old`, 'new', ['old'], '127.0.0.1\tlocalhost new'],
  ['none at all', `# head\n${local}\n${v6}\n`, 'new', ['old'], `# head\n${local}\n127.0.1.1\tnew\n${v6}\n`],
  [
    'an address on the network',
    `${local}\n10.0.0.7 old`,
    'new',
    ['old'],
    `${local}\n127.0.1.1\tnew\n10.0.0.7 old`,
  ],
  ['named already', '10.0.0.7 new.lan New', 'new', ['old'], '10.0.0.7 new.lan New'],
  ['a longer name is another one', '127.0.0.1 older', 'new', ['old'], '127.0.0.1 older\n127.0.1.1\tnew'],
  ['in a comment it does not count', '# 127.0.1.1 new', 'new', [], '127.0.1.1\tnew\n# 127.0.1.1 new'],
  ['an empty file', '', 'new', ['old'], '127.0.1.1\tnew\n'],
])('%s', (_, before, name, old, after) => {
  expect(withHostName(before, name, old)).toBe(after)
  expect(namesHost(after, name)).toBe(true)
  expect(withHostName(after, name, old)).toBe(after)
})

describe('what was there comes back', () => {
  test.each([
    '127.0.1.1   old.lan old # mine',
    `${local}\n127.0.1.1\told\n${v6}\n`,
    `${local} old\n`,
    `${local}\n10.0.0.7 old\n`,
    '',
    `${local}\n127.0.1.1 half.lan half\n`,
  ])('%j', (before) => {
    const was = ownLine(before, ['old', 'new'])
    const after = withHostName(before, 'new', ['old'])
    const back = withOwnLine(after, ['new'], was)
    expect(back).toBe(before)
    expect(withOwnLine(back, ['new', 'old'], was)).toBe(before)
  })

  test('also when somebody has taken the line away meanwhile', () => {
    expect(withOwnLine(`${local}\n`, ['new'], '127.0.1.1 old')).toBe(`${local}\n127.0.1.1 old\n`)
    expect(withOwnLine(`${local}\n`, ['new'], undefined)).toBe(`${local}\n`)
  })
})
