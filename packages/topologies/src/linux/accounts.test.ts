import { describe, expect, test } from 'vitest'
import { parseAccounts, parseShadow } from './accounts.ts'

describe('accounts in the text of their files', () => {
  const passwd = [
    'root:x:0:0:root:/root:/bin/bash',
    '# a comment',
    'ada:x:1000:1000:Ada, ünï,,:/home/ada:/bin/zsh',
    'ada:x:2000:2000:the second counts for nothing::',
    'toor:x:0:0::/root:/bin/sh',
    'short:x:7:7',
    'broken:x:seven:7:::',
    '+nis::::::',
    '-nis::::::',
    ':x:1:1:::',
    '',
  ].join('\n')
  const group = [
    'root:x:0:',
    'ada:x:1000:',
    'video:x:44:ada,root,ada,',
    'audio:x:29:ada',
    'audio:x:30:root',
    'bad:x::',
  ].join('\n')
  const accounts = parseAccounts(passwd, group)

  test.each([
    ['root', 0, 0, '/root', '/bin/bash', 'root'],
    ['ada', 1000, 1000, '/home/ada', '/bin/zsh', 'Ada, ünï,,'],
    ['short', 7, 7, '', '', ''],
  ])('%s', (name, uid, gid, home, shell, comment) => {
    expect(accounts.users.get(name)).toEqual({ name, uid, gid, home, shell, comment })
  })

  test('what is none is passed over', () => {
    expect([...accounts.users.keys()]).toEqual(['root', 'ada', 'toor', 'short'])
    expect([...accounts.groups.keys()]).toEqual(['root', 'ada', 'video', 'audio'])
  })

  test('of several with one name or number the first counts', () => {
    expect(accounts.usersById.get(0)?.name).toBe('root')
    expect(accounts.usersById.get(2000)?.name).toBe('ada')
    expect(accounts.groups.get('audio')?.gid).toBe(29)
  })

  test('members once each, in order, and the groups of each', () => {
    expect(accounts.groups.get('video')?.members).toEqual(['ada', 'root'])
    expect(accounts.memberships.get('ada')).toEqual(['audio', 'video'])
    expect(accounts.memberships.get('root')).toEqual(['video'])
  })

  test('passwords', () => {
    expect(parseShadow('root:*:1::::::\nada:$6$a$b:1:0:99999:7:::\nnone:\n\n')).toEqual(
      new Map([
        ['root', '*'],
        ['ada', '$6$a$b'],
        ['none', ''],
      ]),
    )
  })
})
