import { execFileSync } from 'node:child_process'
import { HarmonyError } from '@harmony-iac/core'
import type { Host } from '@harmony-iac/core/host'
import { expect, test } from 'vitest'
import { localHost } from '../../hosts/local.ts'
import { examine } from './examine.ts'
import type { Concern } from './findings.ts'
import { diagnosisScript } from './script.ts'

const here = localHost()

async function codes(host: Host, concern: Concern) {
  const { findings } = await examine(host)
  return findings.find((finding) => finding.concern === concern)?.problems.map(({ code }) => code)
}

test('this machine is told as it is', async () => {
  const diagnosis = await examine(here)
  expect(diagnosis).toMatchObject({
    user: execFileSync('id', ['-un'], { encoding: 'utf8' }).trim(),
    uid: process.getuid?.(),
  })
  const booted = execFileSync('sh', ['-c', 'test -d /run/systemd/system && echo yes || echo no'], {
    encoding: 'utf8',
  }).trim()
  const services = diagnosis.findings.find(({ concern }) => concern === 'services')?.problems ?? []
  expect(services.some(({ code }) => code === 'no-systemd')).toBe(booted === 'no')
})

test('files that cannot be reached are told with the reason, and the rest all the same', async () => {
  const said = new HarmonyError('unreachable', 'kiosk offers no SFTP', { hint: 'enable it' })
  const host: Host = { ...here, files: { ...here.files, lstat: () => Promise.reject(said) } }
  expect(await codes(host, 'files')).toContain('no-files')
  expect(await codes(host, 'users')).not.toContain('no-files')
})

test('a clock that is far off is noticed', async () => {
  const ahead: Host = {
    ...here,
    async exec(argv, options) {
      const result = await here.exec(argv, options)
      const text = Buffer.from(result.stdout).toString()
      return { ...result, stdout: Buffer.from(text.replace(/^time\t.*$/m, 'time\t4102444800')) }
    },
  }
  expect(await codes(ahead, 'packages')).toContain('clock')
  expect(await codes(here, 'packages')).not.toContain('clock')
})

test('a host that says nothing is an error, with what it said instead', async () => {
  const mute: Host = {
    ...here,
    exec: (_argv, options) => here.exec(['sh', '-c', 'echo not available >&2; exit 1'], options),
  }
  await expect(examine(mute)).rejects.toMatchObject({
    code: 'command-failed',
    message: expect.stringContaining('not available'),
  })
})

test('the script changes no file, and any shell reads it', () => {
  for (const shell of ['sh', 'bash'])
    expect(
      execFileSync(shell, ['-c', diagnosisScript, 'sh', '/no/such/folder'], { encoding: 'utf8' }),
    ).toMatch(/\nend\t\n$/)
  // Output goes nowhere but to standard output and /dev/null.
  expect(diagnosisScript.match(/>+\s*(?!&)[^\s;|)]+/g)?.every((target) => target.endsWith('/dev/null'))).toBe(
    true,
  )
})
