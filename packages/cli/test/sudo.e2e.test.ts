/** An ordinary user who may sudo, as on a Raspberry Pi: everything as root, and what a person is asked on the way. */

import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LinuxHost, linuxHosts, startLinuxHost } from '../../../scripts/testing/linux-host.ts'
import { describeWith } from '../../../scripts/testing/require-part.ts'
import { type Place, projectOn } from './pi-project.ts'
import { scriptPart, type } from './terminal.ts'

const kiosk = `
import { SystemdService, User } from '@harmony-iac/scores'
const page = File({ path: '/etc/kiosk.conf', content: process.env.PAGE ?? 'one', owner: 'kiosk', mode: '0600' })
const scores = () => [
  User({ name: 'kiosk', system: true }),
  page,
  SystemdService({
    name: 'kiosk',
    unit: { Service: { User: 'kiosk', ExecStart: '/bin/sleep 1000' }, Install: { WantedBy: 'multi-user.target' } },
    enabled: true,
    active: true,
    restartOn: [page],
  }),
]
export default defineProject({ name: 'kiosk', deployments: [deploy(at('kiosk', SUDO), scores())] })`

const one = (options: string) =>
  `export default defineProject({ name: 'site', deployments: [deploy(at('kiosk', ${options}), [File({ path: '/etc/one', content: '1' })])] })`

/** Without what moves the cursor and colours. */
const plain = (text: string) => stripVTControlCharacters(text)

describeWith(linuxHosts, 'harmony by sudo', () => {
  let host: LinuxHost
  beforeAll(async () => {
    host = await startLinuxHost()
  })
  afterAll(async () => await host[Symbol.asyncDispose]())

  const projectFor = (places: Readonly<Record<string, Place>>, source: string) =>
    projectOn(host, places, source)
  const look = async () =>
    (
      await host.exec([
        'sh',
        '-c',
        'ls -A -I .sudo_as_admin_successful /etc /etc/systemd/system /home/pi /home/admin /var/lib/harmony 2>&1; cat /etc/passwd /etc/group; systemctl is-active kiosk; true',
      ])
    ).stdout

  test.each([
    ['without a password', 'pi', '{ sudo: true }', () => ({})],
    [
      'with the password in a secret',
      'admin',
      "{ sudo: { password: secret('admin-sudo') } }",
      () => ({ HARMONY_SECRET_ADMIN_SUDO: host.adminPassword }),
    ],
  ] as const)('%s: applied, unchanged, drifted, repaired, gone', async (_, user, options, secrets) => {
    const env: Record<string, string> = secrets()
    using project = projectFor({ kiosk: { user } }, kiosk.replace('SUDO', options))
    const before = await look()
    const first = await project.run('apply --yes', env)
    expect(first).toMatchObject({ status: 0, err: '' })
    expect(first.out).toContain('kiosk: ledger kiosk:/var/lib/harmony\n')
    expect((await host.exec(['stat', '-c', '%U %a', '/etc/kiosk.conf'])).stdout).toBe('kiosk 600\n')
    expect((await host.exec(['systemctl', 'is-active', 'kiosk'])).stdout).toBe('active\n')
    expect((await project.run('apply --yes', env)).out).toContain('Nothing to do: 3 Scores are as wanted.')
    await host.exec(['sh', '-c', 'echo tampered >/etc/kiosk.conf; systemctl stop kiosk'])
    expect(await project.run('drift', env)).toMatchObject({ status: 2 })
    const repaired = await project.run('apply --yes', { ...env, PAGE: 'two' })
    expect(repaired).toMatchObject({ status: 0, err: '' })
    expect(await project.run('drift', { ...env, PAGE: 'two' })).toMatchObject({ status: 0 })
    expect(await project.run('destroy --yes', env)).toMatchObject({ status: 0 })
    expect(await look()).toBe(before)
  })

  describe('where nobody can be asked', () => {
    test('a password that sudo wants is an error that says what to do', async () => {
      using project = projectFor({ kiosk: { user: 'admin' } }, one('{ sudo: true }'))
      const { status, err } = await project.run('plan')
      expect(status).toBe(69)
      expect(err).toContain('kiosk: the password of admin for sudo is needed, and nobody can be asked for it')
      expect(err).toContain('sudo: { password: secret(…) }')
    })

    test('a wrong secret is an error that does not show it', async () => {
      using project = projectFor({ kiosk: { user: 'admin' } }, one("{ sudo: { password: secret('x') } }"))
      const { status, err, out } = await project.run('plan --json', { HARMONY_SECRET_X: 'not this one' })
      expect(status).toBe(69)
      expect(err + out).toContain('the secret x is not the password of admin for sudo')
      expect(err + out).not.toContain('not this one')
    })

    test('a host that takes passwords only takes one from a secret', async () => {
      const places = { kiosk: { user: 'admin', lines: ['PubkeyAuthentication no'] } }
      using project = projectFor(places, one("{ password: secret('login') }"))
      expect((await project.run('plan', { HARMONY_SECRET_LOGIN: host.adminPassword })).status).toBe(2)
      const wrong = await project.run('plan', { HARMONY_SECRET_LOGIN: 'wrong' })
      expect(wrong).toMatchObject({ status: 69 })
      expect(wrong.err).toContain('the secret login is not the password of admin')
    })

    test('what an ordinary user may not write says how to become root', async () => {
      using project = projectFor({ kiosk: { user: 'pi' } }, one('{}'))
      const { status, err, out } = await project.run('apply --yes')
      expect(status).toBe(1)
      expect(err + out).toContain('sudo: true')
      await project.run('destroy --yes')
    })
  })

  describeWith(scriptPart, 'on a terminal', () => {
    test('sudo is given what is typed, which is not shown, after a wrong answer too', async () => {
      using project = projectFor({ kiosk: { user: 'admin' } }, one('{ sudo: true }'))
      const { status, out } = await type(project, 'plan --no-check', [
        ['kiosk: password of admin for sudo: ', 'wrong\n'],
        [/kiosk: That was not accepted.\s+kiosk: password of admin for sudo: /, `${host.adminPassword}\n`],
      ])
      expect(status).toBe(2)
      expect(out).toContain('File:/etc/one')
      expect(out).not.toContain('wrong')
      expect(out).not.toContain(host.adminPassword)
    })

    test('one password is asked for once, by whatever names its host is known', async () => {
      using project = projectFor(
        { kiosk: { user: 'admin' }, door: { user: 'admin' } },
        `const scores = () => [File({ path: '/etc/one', content: '1' })]
export default defineProject({ name: 'site', deployments: [deploy(at('kiosk', { sudo: true }), scores()), deploy(at('door', { sudo: true }), scores())] })`,
      )
      const { status, out } = await type(project, 'plan --no-check', [
        [/(kiosk|door): password of admin for sudo: /, `${host.adminPassword}\n`],
      ])
      expect(status).toBe(2)
      expect(out.match(/password of admin/g)).toHaveLength(1)
    })

    test('a new host is trusted by a yes and nothing less, and remembered', async () => {
      using project = projectFor({ kiosk: { user: 'pi' } }, one('{ sudo: true }'))
      project.write({ known_hosts: '' })
      const question = 'trust it from now on? (yes, no, or the fingerprint): '
      const refused = await type(project, 'plan --no-check', [
        [question, 'y\n'],
        [/Please type 'yes', 'no' or the fingerprint\.[\s\S]*fingerprint\): /, 'no\n'],
      ])
      expect(refused.status).toBe(1)
      expect(refused.out).toContain('was not trusted')
      const print = spawnSync('ssh-keygen', ['-lf', '-'], {
        input: host.hostKey.split(' ').slice(1).join(' '),
        encoding: 'utf8',
      }).stdout.split(' ')[1]
      expect(refused.out).toContain(print)
      expect((await type(project, 'plan --no-check', [[question, `${print}\n`]])).status).toBe(2)
      expect(readFileSync(join(project.folder, 'known_hosts'), 'utf8')).toContain(host.hostKey.split(' ')[2])
      expect((await project.run('plan')).status).toBe(2)
    })

    test('questions of several hosts come one at a time, each with its name', async () => {
      const places = { kiosk: { user: 'admin' }, door: { user: 'admin' }, gate: { user: 'admin' } }
      using project = projectFor(
        places,
        `export default defineProject({ name: 'site', deployments: ['kiosk', 'door', 'gate'].map((name) => deploy(at(name), [File({ path: '/home/admin/' + name, content: '1' })])) })`,
      )
      project.write({ known_hosts: '' })
      const cue = (n: number) =>
        [
          /(kiosk|door|gate): trust it from now on\? \(yes, no, or the fingerprint\): /,
          n < 3 ? 'yes\n' : 'no\n',
        ] as const
      const { status, out } = await type(project, 'plan --no-check', [cue(1), cue(2), cue(3)])
      expect(status).toBe(1)
      const asked = [...plain(out).matchAll(/(\w+): trust it from now on[^\n]*fingerprint\): (\w+)\s*\n/g)]
      expect(asked.map(([, name]) => name).toSorted()).toEqual(['door', 'gate', 'kiosk'])
      expect(asked.map(([, , answer]) => answer)).toEqual(['yes', 'yes', 'no'])
    })

    test('a password lets in where no key does, and the passphrase of a key is asked for only where the key is welcome', async () => {
      const key = (folder: string) => join(folder, 'locked-key')
      const lock = (folder: string) => {
        copyFileSync(host.keyFile, key(folder))
        spawnSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-a', '1', '-f', key(folder)])
      }
      using project = projectFor({ kiosk: { user: 'admin' } }, one('{}'))
      lock(project.folder)
      const config = readFileSync(join(project.folder, 'ssh_config'), 'utf8')
      project.write({ ssh_config: config.replace(host.keyFile, key(project.folder)) })
      const opened = await type(project, 'plan --no-check', [
        [`kiosk: passphrase of ${key(project.folder)}: `, 'close sesame\n'],
        [/That does not open it[\s\S]*locked-key: /, 'open sesame\n'],
      ])
      expect(opened.status).toBe(2)
      expect(opened.out).not.toContain('sesame')

      await host.exec(['mv', '/home/admin/.ssh/authorized_keys', '/home/admin/.ssh/away'])
      try {
        const typed = await type(project, 'plan --no-check', [
          ['kiosk: password of admin: ', 'wrong\n'],
          [/That was not accepted[\s\S]*password of admin: /, `${host.adminPassword}\n`],
        ])
        expect(typed.status).toBe(2)
        expect(typed.out).not.toContain('passphrase')
        expect(typed.out).not.toContain(host.adminPassword)
      } finally {
        await host.exec(['mv', '/home/admin/.ssh/away', '/home/admin/.ssh/authorized_keys'])
      }
    })

    test('a host asks its own questions where it takes neither keys nor passwords', async () => {
      await host.exec([
        'sh',
        '-c',
        "printf 'PasswordAuthentication no\\nKbdInteractiveAuthentication yes\\n' >/etc/ssh/sshd_config.d/00-ask.conf; systemctl reload ssh",
      ])
      try {
        using project = projectFor(
          { kiosk: { user: 'admin', lines: ['PubkeyAuthentication no'] } },
          one('{}'),
        )
        const typed = await type(project, 'plan --no-check', [
          ['kiosk: password of admin: ', `${host.adminPassword}\n`],
        ])
        expect(typed.status).toBe(2)
        expect(await project.run('plan')).toMatchObject({ status: 69 })
      } finally {
        await host.exec(['sh', '-c', 'rm /etc/ssh/sshd_config.d/00-ask.conf; systemctl reload ssh'])
      }
    })

    test('Ctrl-C at a question ends the command, and nobody is asked again', async () => {
      using project = projectFor({ kiosk: { user: 'admin' } }, one('{ sudo: true }'))
      const { status, out } = await type(project, 'apply --no-check', [
        ['kiosk: password of admin for sudo: ', '\x03'],
      ])
      expect(status).toBe(130)
      expect(out.match(/password of admin/g)).toHaveLength(1)
    })

    test('a question during an apply stands alone, and the progress goes on after it', async () => {
      using project = projectFor(
        {},
        `import { attendant } from '@harmony-iac/core/attendant'
class Asking extends LocalTopology {
  constructor() {
    super({})
    const { files } = this
    const makeDirectory = files.makeDirectory.bind(files)
    files.makeDirectory = async (...given) => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      const answer = await attendant().ask({ about: 'kiosk', prompt: 'which one', hidden: false })
      if (answer !== 'that one') throw new Error('the answer was ' + answer)
      return await makeDirectory(...given)
    }
  }
}
void at
export default defineProject({ name: 'site', deployments: [deploy(new Asking(), [Directory({ path: root }), Array.from({ length: 5 }, (_, i) => File({ path: root + '/' + i, content: 'x' }))])] })`,
      )
      const { status, out } = await type(project, 'apply --no-check --yes', [
        ['0 of 6 done', ''],
        ['kiosk: which one: ', 'that '],
        ['that ', 'one\n'],
      ])
      expect(status).toBe(0)
      expect(plain(out)).toMatch(/kiosk: which one: that one\s*\n/)
      expect(out).toContain('6 of 6 done')
    })
  })
})
