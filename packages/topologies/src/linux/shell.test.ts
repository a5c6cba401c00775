import { writeFileSync } from 'node:fs'
import type { ExecResult, Host } from '@harmony-iac/core/host'
import { describe, expect, test } from 'vitest'
import { scratch } from '../../test/scratch.ts'
import { localHost } from '../hosts/local.ts'
import { linuxShell } from './shell.ts'

const shell = linuxShell(localHost())

describe('a program', () => {
  test('gets its arguments as they are', async () => {
    expect(await shell.run(['/usr/bin/printf', '%s|', '$HOME', 'a b', ''])).toMatchObject({
      exitCode: 0,
      stdout: '$HOME|a b||',
    })
  })

  test('gets its input, folder and environment', async () => {
    const dir = scratch()
    const result = await shell.run(['/bin/sh', '-c', 'cat; pwd; echo $GIVEN'], {
      stdin: 'in\n',
      cwd: dir,
      env: { GIVEN: 'x' },
    })
    expect(result.stdout).toBe(`in\n${dir}\nx\n`)
  })

  test('tells output as text while it comes', async () => {
    const heard: string[] = []
    await shell.run(['/bin/sh', '-c', 'printf ä; printf ☂ >&2'], {
      onOutput: (stream, text) => heard.push(`${stream} ${text}`),
    })
    expect(heard.toSorted()).toEqual(['stderr ☂', 'stdout ä'])
  })

  test('tells when output was cut, and starts at a whole character', async () => {
    const result = await shell.run(['/usr/bin/printf', 'xx☂☂☂'], { outputLimit: 7 })
    expect(result).toMatchObject({ stdout: '☂☂', truncated: true })
    expect(await shell.run(['/usr/bin/printf', '☂☂'], { outputLimit: 6 })).toMatchObject({
      stdout: '☂☂',
      truncated: false,
    })
  })
})

describe('a script', () => {
  test('stops at the first command that fails', async () => {
    expect(await shell.script('echo one\nfalse\necho two')).toMatchObject({ exitCode: 1, stdout: 'one\n' })
  })

  test('is one argument, whatever is in it', async () => {
    const result = await shell.script(`echo "it's" '$HOME' "\`echo x\`"\necho $#; echo "$0"`)
    expect(result).toMatchObject({ exitCode: 0, stdout: "it's $HOME x\n0\nharmony\n" })
  })
})

test('a character that is cut in two by chunks is told whole', async () => {
  const umbrella = Buffer.from('☂')
  const halves: Host = {
    ...localHost(),
    exec: async (_argv, options) => {
      options?.onOutput?.('stdout', umbrella.subarray(0, 2))
      options?.onOutput?.('stderr', Buffer.from('between'))
      options?.onOutput?.('stdout', umbrella.subarray(2))
      options?.onOutput?.('stdout', umbrella.subarray(0, 1))
      return { stdout: umbrella, stderr: umbrella, stdoutCut: 0, stderrCut: 0 } as unknown as ExecResult
    },
  }
  const heard: string[] = []
  await linuxShell(halves).run(['x'], { onOutput: (stream, text) => heard.push(`${stream} ${text}`) })
  expect(heard).toEqual(['stderr between', 'stdout ☂', 'stdout \uFFFD'])
})

test('what exists is told, links to nowhere too', async () => {
  const dir = scratch()
  writeFileSync(`${dir}/f`, '')
  expect([
    await shell.exists(`${dir}/f`),
    await shell.exists(`${dir}/none`),
    await shell.exists(`${dir}/f/x`),
  ]).toEqual([true, false, false])
})
