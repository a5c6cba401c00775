import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { opensshClient, sshSays } from '../../../test/openssh.ts'
import { scratch } from '../../../test/scratch.ts'
import { algorithmList } from './algorithms.ts'

const supported = ['a1', 'a2', 'b', 'old']

test.each([
  { written: undefined, list: ['a1', 'a2', 'b'] },
  { written: 'b,a1', list: ['b', 'a1'] },
  { written: '+old', list: ['a1', 'a2', 'b', 'old'] },
  { written: '+old,b', list: ['a1', 'a2', 'b', 'old'] },
  { written: '^b,old', list: ['b', 'old', 'a1', 'a2'] },
  { written: '-a*', list: ['b'] },
  { written: '-a1,b', list: ['a2'] },
  { written: 'unheard-of,b', list: ['b'] },
  { written: 'unheard-of', list: [] },
])('$written is $list', ({ written, list }) => {
  expect(algorithmList(written, ['a1', 'a2', 'b'], supported)).toEqual(list)
})

describeWith(opensshClient, 'the real ssh -G lists the same', () => {
  const listed = (line: string, keyword: string) => {
    const file = `${scratch()}/config`
    writeFileSync(file, `${line}\n`)
    return sshSays(file, 'kiosk').get(keyword)?.[0]?.split(',') ?? []
  }

  test.each([
    ['HostKeyAlgorithms', '+ssh-rsa'],
    ['HostKeyAlgorithms', '^rsa-sha2-256,ssh-ed25519'],
    ['HostKeyAlgorithms', '-*cert*,ecdsa-*'],
    ['HostKeyAlgorithms', 'rsa-sha2-512,ssh-ed25519'],
    ['Ciphers', '+aes256-cbc'],
    ['MACs', '-*etm*,*sha1*'],
    ['KexAlgorithms', '^diffie-hellman-group14-sha1'],
  ])('for %s %s', (option, written) => {
    const keyword = option.toLowerCase()
    const theirs = listed(`${option} ${written}`, keyword)
    const usual = listed('', keyword)
    expect(algorithmList(written, usual, [...usual, ...theirs])).toEqual(theirs)
  })
})
