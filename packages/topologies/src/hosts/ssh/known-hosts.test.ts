import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { makeKey, opensshClient, publicKey } from '../../../test/openssh.ts'
import { scratch } from '../../../test/scratch.ts'
import {
  checkHostKey,
  fingerprint,
  hashedName,
  keyType,
  knownFirst,
  knownKeyTypes,
  parseKnownHosts,
} from './known-hosts.ts'

/** A key on the wire; what follows its type says which one it is. */
function made(type: string, which: string): Buffer {
  const field = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)])
  return Buffer.concat([field(type), field(which)])
}

const [ed, otherEd, rsa] = [made('ssh-ed25519', 'a'), made('ssh-ed25519', 'b'), made('ssh-rsa', 'a')]
const text = (key: Buffer) => `${keyType(key)} ${key.toString('base64')}`
const file = '/home/ada/.ssh/known_hosts'
const salt = Buffer.alloc(20, 7)

/** The verdict in short: with the line that it comes from. */
function verdict(lines: string, key: Buffer, host = 'kiosk', port = 22, more = {}): string {
  const check = checkHostKey(parseKnownHosts(lines, file), { host, port, ...more }, key)
  return 'entry' in check ? `${check.status} by line ${check.entry.line}` : check.status
}

test.each([
  { what: 'nothing', lines: '', key: ed, is: 'unknown' },
  { what: 'another host', lines: `other ${text(ed)}`, key: ed, is: 'unknown' },
  { what: 'the same key', lines: `kiosk ${text(ed)}`, key: ed, is: 'known by line 1' },
  { what: 'the same key in another case', lines: `KIOSK ${text(ed)}`, key: ed, is: 'known by line 1' },
  {
    what: 'comments, empty lines, tabs, a comment of the key, CRLF',
    lines: `# kiosk ${text(otherEd)}\n\n \tkiosk,10.0.0.1\t${text(ed).replace(' ', '\t ')} ada@kiosk \r\n`,
    key: ed,
    is: 'known by line 3',
  },
  { what: 'another key', lines: `# c\nkiosk ${text(otherEd)}`, key: ed, is: 'changed by line 2' },
  { what: 'a key of another type', lines: `kiosk ${text(rsa)}`, key: ed, is: 'changed by line 1' },
  {
    what: 'several types, one of which fits',
    lines: `kiosk ${text(rsa)}\nkiosk ${text(ed)}`,
    key: ed,
    is: 'known by line 2',
  },
  {
    what: 'several keys of a type',
    lines: `kiosk ${text(otherEd)}\nkiosk ${text(ed)}`,
    key: ed,
    is: 'known by line 2',
  },
  {
    what: 'several types, none of which fits: the one of this type is told',
    lines: `kiosk ${text(otherEd)}\nkiosk ${text(rsa)}`,
    key: ed,
    is: 'changed by line 1',
  },
  { what: 'a wildcard', lines: `*.lan,k?osk ${text(ed)}`, key: ed, is: 'known by line 1' },
  { what: 'a wildcard but not this one', lines: `k*,!kiosk ${text(ed)}`, key: ed, is: 'unknown' },
  {
    what: 'a hashed name',
    lines: `${hashedName('kiosk', salt)} ${text(ed)}`,
    key: ed,
    is: 'known by line 1',
  },
  { what: 'another hashed name', lines: `${hashedName('other', salt)} ${text(ed)}`, key: ed, is: 'unknown' },
  {
    what: 'another key of a hashed name',
    lines: `${hashedName('kiosk', salt)} ${text(rsa)}`,
    key: ed,
    is: 'changed by line 1',
  },
  {
    what: 'a revoked key',
    lines: `kiosk ${text(ed)}\n@revoked * ${text(ed)}`,
    key: ed,
    is: 'revoked by line 2',
  },
  { what: 'another revoked key', lines: `@revoked * ${text(otherEd)}`, key: ed, is: 'unknown' },
  { what: 'a key revoked elsewhere', lines: `@revoked *.lan ${text(ed)}`, key: ed, is: 'unknown' },
  { what: 'an authority', lines: `@cert-authority * ${text(ed)}`, key: ed, is: 'unknown' },
  { what: 'an unknown marker', lines: `@trusted * ${text(ed)}`, key: ed, is: 'unknown' },
  {
    what: 'a broken line',
    lines: `kiosk ssh-ed25519 AAAA\nkiosk ${text(ed)}`,
    key: ed,
    is: 'known by line 2',
  },
  {
    what: 'a line that lies about the type',
    lines: `kiosk ssh-rsa ${text(ed).slice(12)}`,
    key: ed,
    is: 'unknown',
  },
])('of $what: $is', ({ lines, key, is }) => {
  expect(verdict(lines, key)).toBe(is)
})

describe('a port of its own', () => {
  test.each([
    { lines: `[kiosk]:2222 ${text(ed)}`, is: 'known by line 1' },
    { lines: `[kiosk]:* ${text(ed)}`, is: 'known by line 1' },
    { lines: `[kiosk]:2223 ${text(ed)}`, is: 'unknown' },
    { lines: `[kiosk]:2222 ${text(otherEd)}`, is: 'changed by line 1' },
    { lines: `kiosk ${text(ed)}`, is: 'known by line 1' },
    { lines: `kiosk ${text(otherEd)}`, is: 'unknown' },
    { lines: `kiosk ${text(ed)}\n[kiosk]:2222 ${text(otherEd)}`, is: 'changed by line 2' },
    { lines: `@revoked kiosk ${text(ed)}\n[kiosk]:2222 ${text(ed)}`, is: 'revoked by line 1' },
  ])('$is', ({ lines, is }) => {
    expect(verdict(lines, ed, 'Kiosk', 2222)).toBe(is)
  })

  test('does not count for port 22', () => {
    expect(verdict(`[kiosk]:2222 ${text(otherEd)}`, ed)).toBe('unknown')
  })

  test('does not count beside an alias', () => {
    const lines = `the-alias ${text(ed)}\nkiosk ${text(otherEd)}`
    expect(verdict(lines, ed, 'kiosk', 2222, { alias: 'The-Alias' })).toBe('known by line 1')
    expect(verdict(`kiosk ${text(ed)}`, ed, 'kiosk', 2222, { alias: 'the-alias' })).toBe('unknown')
  })
})

describe('an address that is to agree', () => {
  const address = '10.0.0.1'
  test.each([
    { what: 'agrees', lines: `kiosk,10.0.0.1 ${text(ed)}`, is: 'known by line 1' },
    { what: 'is not known', lines: `kiosk ${text(ed)}`, is: 'known by line 1' },
    { what: 'contradicts', lines: `kiosk ${text(ed)}\n10.0.0.1 ${text(rsa)}`, is: 'changed by line 2' },
    { what: 'alone is known', lines: `10.0.0.1 ${text(ed)}`, is: 'unknown' },
    {
      what: 'was revoked',
      lines: `kiosk ${text(ed)}\n@revoked 10.0.0.1 ${text(ed)}`,
      is: 'revoked by line 2',
    },
  ])('and $what: $is', ({ lines, is }) => {
    expect(verdict(lines, ed, 'kiosk', 22, { address })).toBe(is)
  })
})

test('an unknown host tells which authority would vouch for it', () => {
  const entries = parseKnownHosts(`@cert-authority *.lan,kiosk ${text(rsa)}`, file)
  const check = checkHostKey(entries, { host: 'kiosk', port: 22 }, ed)
  expect(check).toMatchObject({ status: 'unknown', authority: { file, line: 1 } })
})

describe('the types that are known', () => {
  const lines = `kiosk ${text(rsa)}\n*.lan ${text(ed)}\nkiosk ${text(ed)}\nkiosk ${text(otherEd)}\n@cert-authority kiosk ${text(made('ssh-dss', ''))}`
  const entries = parseKnownHosts(lines, file)

  test.each([
    { host: 'kiosk', port: 22, types: ['ssh-rsa', 'ssh-ed25519'] },
    { host: 'kiosk', port: 2222, types: ['ssh-rsa', 'ssh-ed25519'] },
    { host: 'x.lan', port: 22, types: ['ssh-ed25519'] },
    { host: 'nobody', port: 22, types: [] },
  ])('of $host:$port are $types', ({ types, ...target }) => {
    expect(knownKeyTypes(entries, target)).toEqual(types)
  })

  test('are asked for first, an RSA key by each of its algorithms', () => {
    const offered = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa']
    expect(knownFirst(offered, ['ssh-rsa'])).toEqual([
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-rsa',
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
    ])
    expect(knownFirst(offered, [])).toEqual(offered)
  })
})

test.each([Buffer.alloc(0), Buffer.alloc(3), Buffer.from([0, 0, 0, 9, 1])])('%j is no key', (key) => {
  expect(keyType(key)).toBe('')
})

describeWith(opensshClient, 'files of the real ssh-keygen', () => {
  const types = ['ed25519', 'ecdsa', 'rsa']

  test('are understood, plain and hashed', () => {
    const dir = scratch()
    for (const type of types) makeKey(`${dir}/${type}`, type)
    const keys = types.map((type) => publicKey(`${dir}/${type}`))
    const names = ['kiosk,10.0.0.1', '[web]:2222', '::1']
    const known = `${dir}/known_hosts`
    writeFileSync(known, keys.map((key, index) => `${names[index]} ${text(key)}\n`).join(''))
    const targets = [
      { host: 'kiosk', port: 22 },
      { host: 'web', port: 2222 },
      { host: '::1', port: 22 },
    ]
    const statuses = () => {
      const entries = parseKnownHosts(readFileSync(known, 'utf8'), known)
      return targets.map((target) => keys.map((key) => checkHostKey(entries, target, key).status))
    }
    const expected = [
      ['known', 'changed', 'changed'],
      ['changed', 'known', 'changed'],
      ['changed', 'changed', 'known'],
    ]
    expect(statuses()).toEqual(expected)
    execFileSync('ssh-keygen', ['-q', '-H', '-f', known], { stdio: 'ignore' })
    expect(readFileSync(known, 'utf8')).not.toContain('kiosk')
    expect(statuses()).toEqual(expected)
  })

  test.each([
    { host: 'kiosk', port: 22 },
    { host: 'kiosk', port: 2222 },
    { host: 'web1.lan', port: 22 },
    { host: 'web.lan', port: 22 },
    { host: 'db.lan', port: 22 },
    { host: '10.0.0.1', port: 22 },
    { host: '::1', port: 22 },
    { host: '::1', port: 23 },
    { host: 'nobody', port: 22 },
  ])('has the same lines for $host:$port', ({ host, port }) => {
    const known = `${scratch()}/known_hosts`
    const hosts = [
      'kiosk,10.0.0.1',
      'Kiosk',
      '[kiosk]:2222',
      '[*]:2222',
      '*.lan,!web?.lan',
      '!db.lan,d*.lan',
      '!db.lan',
      'web?.lan',
      '@revoked *',
      '@revoked kiosk',
      '::1',
      '[::1]:23',
      '10.*',
      hashedName('kiosk', salt),
      hashedName('[::1]:23', salt),
      '  kiosk',
      '# kiosk',
    ]
    // Any 32 bytes are a key, as long as nobody signs with it.
    const key = (index: number) => made('ssh-ed25519', 'x'.repeat(31) + String.fromCharCode(65 + index))
    writeFileSync(known, hosts.map((names, index) => `${names} ${text(key(index))}\n`).join(''))
    const name = port === 22 ? host : `[${host}]:${port}`
    const { stdout } = spawnSync('ssh-keygen', ['-F', name, '-f', known], { encoding: 'utf8' })
    const theirs = [...stdout.matchAll(/found: line (\d+)/g)].map(([, line]) => Number(line))
    // Their search does not fall back to the name without its port.
    const entries = parseKnownHosts(readFileSync(known, 'utf8'), known)
    const ours = entries.filter((entry) => {
      const check = checkHostKey([entry], { host: name, port: 22 }, entry.key)
      return check.status === 'known' || check.status === 'revoked'
    })
    expect(ours.map(({ line }) => line)).toEqual(theirs)
  })

  test.each(types)('the fingerprint of a key of type %s is theirs', (type) => {
    const path = `${scratch()}/key`
    makeKey(path, type)
    const said = execFileSync('ssh-keygen', ['-lf', `${path}.pub`], { encoding: 'utf8' })
    expect(fingerprint(publicKey(path))).toBe(said.split(' ')[1])
  })
})
