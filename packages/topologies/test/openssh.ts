/** The real OpenSSH, to compare with: its answers about a configuration, and files as it makes them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Part } from '../../../scripts/testing/require-part.ts'

/** `ssh`, `ssh-keygen`, `ssh-agent`. */
export const opensshClient: Part = {
  name: 'openssh-client (ssh, ssh-keygen)',
  get: 'apt-get install openssh-client',
  present: spawnSync('ssh', ['-V']).status === 0 && spawnSync('ssh-keygen', ['-?']).error === undefined,
}

/** What `ssh -G` prints for a destination: the values of each option, in order. */
export function sshSays(configFile: string, destination: string): Map<string, string[]> {
  const { status, stdout, stderr } = spawnSync('ssh', ['-G', '-F', configFile, destination], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`ssh -G ${destination}: ${stderr}`)
  const values = new Map<string, string[]>()
  for (const line of stdout.trimEnd().split('\n')) {
    const [keyword = '', value = ''] = [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1)]
    values.set(keyword, [...(values.get(keyword) ?? []), value])
  }
  return values
}

/** Makes a key pair at `path` and `path.pub`. Small and lightly encrypted, so that it is quick. */
export function makeKey(path: string, type: string, passphrase = '', more: readonly string[] = []): void {
  const quick = type === 'rsa' ? ['-b', '2048', '-a', '1'] : ['-a', '1']
  const argv = ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', path, ...quick, ...more]
  execFileSync('ssh-keygen', argv)
}

/** The public part of a key of {@link makeKey}, as on the wire. */
export function publicKey(path: string): Buffer {
  return Buffer.from(readFileSync(`${path}.pub`, 'utf8').split(' ')[1] ?? '', 'base64')
}
