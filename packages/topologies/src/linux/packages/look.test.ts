import type { ExecResult, Host } from '@harmony-iac/core/host'
import { expect, test } from 'vitest'
import type { Apt } from './apt.ts'
import { lookAt } from './look.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** A host whose dpkg says this, and that has these files. */
function saying(stdout: string, files: Readonly<Record<string, string>> = {}, exitCode = 0) {
  const ran: (readonly string[])[] = []
  const apt: Apt = {
    host: {
      files: {
        read: async (path: string) => (files[path] === undefined ? undefined : { bytes: bytes(files[path]) }),
      },
    } as unknown as Host,
    run: async (argv) => {
      ran.push(argv)
      return { exitCode, stdout: bytes(stdout), stderr: bytes('dpkg-query: no packages found') } as ExecResult
    },
  }
  return { apt, ran }
}

const line = (...fields: readonly string[]) => `${fields.join('\t')}\n`

test.each([
  ['install', 'installed', 'ok', 'installed', 'installed'],
  ['hold', 'installed', 'ok', 'installed', 'installed'],
  ['install', 'triggers-pending', 'ok', 'installed', 'triggers-pending'],
  ['install', 'triggers-awaited', 'ok', 'installed', 'triggers-awaited'],
  ['install', 'half-configured', 'ok', 'broken', 'half-configured'],
  ['install', 'unpacked', 'ok', 'broken', 'unpacked'],
  ['install', 'half-installed', 'reinstreq', 'broken', 'half-installed'],
  ['deinstall', 'config-files', 'ok', 'configuration', 'config-files'],
  ['unknown', 'not-installed', 'ok', 'absent', 'not-installed'],
])('wanted %s, %s, %s is %s', async (want, status, flag, expected, word) => {
  const { apt } = saying(line('a', 'all', '1.0', want, status, flag))
  const [state] = await lookAt(apt, ['a'])
  const there = expected === 'installed' || expected === 'broken'
  expect(state).toMatchObject({
    status: expected,
    word,
    held: want === 'hold',
    version: there ? '1.0' : undefined,
  })
})

test('of several architectures the host’s own is meant unless another is named', async () => {
  const { apt } = saying(
    line('libc6', 'amd64', '2', 'install', 'installed', 'ok') +
      line('libc6', 'armhf', '1', 'hold', 'installed', 'ok') +
      line('only', 'armhf', '1', 'install', 'installed', 'ok') +
      line('any', 'all', '3', 'install', 'installed', 'ok'),
    { '/var/lib/dpkg/arch': 'amd64\narmhf\n' },
  )
  const names = ['libc6', 'libc6:amd64', 'libc6:armhf', 'only', 'only:armhf', 'any:amd64', 'any:armhf']
  const states = await lookAt(apt, names)
  expect(states.map(({ version }) => version)).toEqual(['2', '2', '1', undefined, '1', '3', undefined])
})

test('what came along is told from what was asked for', async () => {
  const { apt } = saying(
    line('a', 'all', '1', 'install', 'installed', 'ok') +
      line('b', 'amd64', '1', 'install', 'installed', 'ok') +
      line('c', 'amd64', '1', 'install', 'installed', 'ok'),
    {
      '/var/lib/dpkg/arch': 'amd64\n',
      '/var/lib/apt/extended_states':
        'Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: b\nArchitecture: amd64\nAuto-Installed: 0\n\nPackage: c\nArchitecture: armhf\nAuto-Installed: 1\n',
    },
  )
  const states = await lookAt(apt, ['a', 'b', 'c'])
  expect(states.map(({ automatic }) => automatic)).toEqual([true, false, false])
})

test('many names are one question, and thousands are about all packages', async () => {
  const few = saying('', {}, 1)
  expect((await lookAt(few.apt, ['a', 'b', 'a'])).map(({ status }) => status)).toEqual([
    'absent',
    'absent',
    'absent',
  ])
  expect(few.ran.map((argv) => argv.slice(3))).toEqual([['a', 'b']])
  const many = saying('')
  await lookAt(
    many.apt,
    Array.from({ length: 1001 }, (_, i) => `p${i}`),
  )
  expect(many.ran.map((argv) => argv.length)).toEqual([3])
})

test('a dpkg that cannot answer is no empty answer', async () => {
  await expect(lookAt(saying('', {}, 2).apt, ['a'])).rejects.toMatchObject({ code: 'command-failed' })
})
