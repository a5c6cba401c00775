import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { makeKey, opensshClient, publicKey } from '../../../test/openssh.ts'
import { asOrdinaryUser, scratch, unprivileged } from '../../../test/scratch.ts'
import { checkHostKey } from './known-hosts.ts'
import { readKnownHosts, rememberHostKey } from './known-hosts-files.ts'

const key = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIBcVFRyYz8+tkNXSjTQNmtg1MG5pnmXc3F3Xu8Zjx1Rm', 'base64')
const line = `ssh-ed25519 ${key.toString('base64')}`
const target = { host: 'Kiosk', port: 22 }
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

describe('a key that is remembered', () => {
  test('makes the folder and the file, for the user alone', () => {
    const folder = `${scratch()}/.ssh`
    const file = `${folder}/known_hosts`
    rememberHostKey(file, target, key, { hash: false })
    expect(readFileSync(file, 'utf8')).toBe(`kiosk ${line}\n`)
    expect([mode(file), mode(folder)]).toEqual(['600', '700'])
  })

  test('leaves the mode of what is there, and follows a link', () => {
    const dir = scratch()
    writeFileSync(`${dir}/dotfile`, '# mine\n')
    chmodSync(`${dir}/dotfile`, 0o644)
    symlinkSync('dotfile', `${dir}/known_hosts`)
    rememberHostKey(`${dir}/known_hosts`, target, key, { hash: false })
    expect(readFileSync(`${dir}/dotfile`, 'utf8')).toBe(`# mine\nkiosk ${line}\n`)
    expect(mode(`${dir}/dotfile`)).toBe('644')
  })

  test('starts a line of its own where the last one is not ended', () => {
    const file = `${scratch()}/known_hosts`
    writeFileSync(file, `other ${line}`)
    rememberHostKey(file, target, key, { hash: false })
    expect(readFileSync(file, 'utf8')).toBe(`other ${line}\nkiosk ${line}\n`)
  })

  test('is added once', () => {
    const file = `${scratch()}/known_hosts`
    for (const hash of [true, false, true]) rememberHostKey(file, target, key, { hash })
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(1)
  })

  test.each([
    { what: 'a port', is: { ...target, port: 2222 }, names: '[kiosk]:2222' },
    { what: 'an address', is: { ...target, address: '10.0.0.1' }, names: 'kiosk,10.0.0.1' },
    {
      what: 'both',
      is: { ...target, port: 2222, address: 'fe80::1' },
      names: '[kiosk]:2222,[fe80::1]:2222',
    },
    { what: 'the address as name', is: { host: '::1', port: 22, address: '::1' }, names: '::1' },
    { what: 'an alias', is: { ...target, port: 2222, alias: 'Lab', address: '::1' }, names: 'lab' },
  ])('has $what in its name', ({ is, names }) => {
    const file = `${scratch()}/known_hosts`
    rememberHostKey(file, is, key, { hash: false })
    expect(readFileSync(file, 'utf8')).toBe(`${names} ${line}\n`)
    expect(checkHostKey(readKnownHosts([file]), is, key).status).toBe('known')
  })

  test('hashed tells nobody of whom it is, and is recognized by name and address', () => {
    const file = `${scratch()}/known_hosts`
    rememberHostKey(file, { ...target, address: '10.0.0.1' }, key, { hash: true })
    const text = readFileSync(file, 'utf8')
    expect(text).toMatch(/^(\|1\|\S{28}\|\S{28} ssh-ed25519 \S+\n){2}$/)
    for (const host of ['kiosk', '10.0.0.1'])
      expect(checkHostKey(readKnownHosts([file]), { host, port: 22 }, key).status).toBe('known')
  })

  test('can go nowhere', () => {
    rememberHostKey('/dev/null', target, key, { hash: false })
    expect(readKnownHosts(['/dev/null', '/nowhere/known_hosts'])).toEqual([])
  })

  test('with a name that would be a pattern is refused', () => {
    const file = `${scratch()}/known_hosts`
    const remember = () => rememberHostKey(file, { ...target, alias: 'a b' }, key, { hash: false })
    expect(remember).toThrow(expect.objectContaining({ code: 'refused' }))
    expect(existsSync(file)).toBe(false)
  })

  test('that cannot be written is told with the line to add', () => {
    const inTheWay = `${scratch()}/a-file`
    writeFileSync(inTheWay, '')
    expect(() => rememberHostKey(`${inTheWay}/known_hosts`, target, key, { hash: false })).toThrow(
      expect.objectContaining({ code: 'system', hint: expect.stringContaining(`kiosk ${line}`) }),
    )
  })

  test('by several processes at once is there whole for each', async () => {
    const file = `${scratch()}/.ssh/known_hosts`
    const program = (who: number) => `
      import { rememberHostKey } from '${new URL('known-hosts-files.ts', import.meta.url)}'
      const key = Buffer.from('${key.toString('base64')}', 'base64')
      for (let at = 0; at < 50; at++)
        rememberHostKey(${JSON.stringify(file)}, { host: 'host-${who}-' + at, port: 22 }, key, { hash: at % 2 === 0 })
    `
    const processes = [1, 2, 3].map((who) =>
      spawn(process.execPath, ['--input-type=module', '-e', program(who)], { stdio: 'inherit' }),
    )
    const statuses = await Promise.all(processes.map(async (child) => (await once(child, 'exit'))[0]))
    expect(statuses).toEqual([0, 0, 0])
    const entries = readKnownHosts([file])
    expect(entries).toHaveLength(150)
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(151)
  })
})

describeWith(unprivileged, 'a file of known hosts that may not be read', () => {
  test('is told, since its hosts would look new', async () => {
    const file = `${scratch()}/known_hosts`
    writeFileSync(file, '', { mode: 0o000 })
    await asOrdinaryUser(async () => {
      expect(() => readKnownHosts([file])).toThrow(
        expect.objectContaining({ code: 'system', message: expect.stringContaining(file) }),
      )
    })
  })
})

describeWith(opensshClient, 'the real ssh-keygen -F', () => {
  test.each([
    { hash: false, is: { host: 'kiosk', port: 2222 } },
    { hash: true, is: { host: 'kiosk', port: 2222 } },
    { hash: true, is: { host: 'kiosk', port: 22 } },
    { hash: true, is: { host: '::1', port: 22 } },
  ])('finds what was remembered: $is, hashed $hash', ({ hash, is }) => {
    const dir = scratch()
    makeKey(`${dir}/key`, 'ecdsa')
    const file = `${dir}/known_hosts`
    rememberHostKey(file, is, publicKey(`${dir}/key`), { hash })
    const name = is.port === 22 ? is.host : `[${is.host}]:${is.port}`
    const found = execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' })
    expect(found).toContain(publicKey(`${dir}/key`).toString('base64'))
  })
})
