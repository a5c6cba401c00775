import { hash } from 'node:crypto'
import { asset, bytes, secret, secretText, text } from '@harmony-iac/core'
import { conduct, SimulatedTopology, scoreConformance, secretValueOf } from '@harmony-iac/core/testing'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type * as z from 'zod'
import { Directory, File, type FileSpec } from './index.ts'

const path = '/srv/app/app.conf'
const folder = Directory({ path: '/srv/app' })

describe('the contract', () => {
  const checks = scoreConformance({
    factory: File,
    topology: () => new SimulatedTopology(),
    cases: [
      {
        name: 'text with attributes',
        scores: () => [
          folder,
          File({ path, content: 'port = 80\n', mode: '0640', owner: 'www-data', group: 33 }),
        ],
        updated: () => [
          folder,
          File({ path, content: 'port = 81\n', mode: '0600', owner: 'root', group: 0 }),
        ],
        occupied: ({ disk }) => disk.write(path, 'somebody else\n', { mode: '0604', owner: 'nobody' }),
        tampers: {
          '': ({ disk }) => disk.remove(path),
          path: ({ disk }) => {
            disk.remove(path)
            disk.makeDirectory(path)
          },
          content: ({ disk }) => disk.write(path, 'port = 81\n'),
          mode: ({ disk }) => disk.chmod(path, '0666'),
          owner: ({ disk }) => disk.chown(path, 'nobody'),
          group: ({ disk }) => disk.chown(path, 'www-data', 'root'),
        },
      },
      {
        name: 'through a link',
        prepare: ({ disk }) => {
          disk.write('/opt/real.conf', 'as delivered\n', { mode: '0604' })
          disk.link('/etc/app.conf', '/opt/real.conf')
        },
        scores: () => [File({ path: '/etc/app.conf', content: 'ours\n', follow: true, adopt: true })],
        updated: () => [
          File({ path: '/etc/app.conf', content: 'ours, newer\n', mode: '0640', follow: true, adopt: true }),
        ],
        tampers: {
          follow: ({ disk }) => disk.write('/opt/real.conf', 'tampered\n'),
        },
      },
      {
        name: 'a secret',
        scores: () => [File({ path: '/etc/token', content: secretText`token=${secret('token')}\n` })],
        updated: () => [File({ path: '/etc/token', content: secret('other-token') })],
        occupied: ({ disk }) => disk.link('/etc/token', '/nowhere'),
        tampers: { content: ({ disk }) => disk.write('/etc/token', 'stolen\n') },
      },
      {
        name: 'bytes in place of an empty directory',
        scores: () => [File({ path: '/srv/blob', content: bytes(new Uint8Array([0, 255, 10])) })],
        occupied: ({ disk }) => disk.makeDirectory('/srv/blob', { mode: '0711' }),
        tampers: { content: ({ disk }) => disk.write('/srv/blob', new Uint8Array([0, 254, 10])) },
      },
      {
        name: 'a large asset with a validator',
        scores: () => [File({ path: '/srv/big', content: asset('./big'), validate: ['check', '{}'] })],
        updated: () => [File({ path: '/srv/big', content: asset('./small'), validate: ['check', '{}'] })],
        assets: { './big': 'x'.repeat(100_000), './small': 'small\n' },
        tampers: { content: ({ disk }) => disk.write('/srv/big', `${'x'.repeat(99_999)}y`) },
      },
    ],
    exempt: { validate: 'runs while the file is written, and is no property of what is there' },
  })
  for (const check of checks) test(check.name, check.run)

  test('the interface and the schema have the same fields', () => {
    type Fields = keyof Required<FileSpec>
    expectTypeOf<Fields>().toEqualTypeOf<
      'path' | 'content' | 'mode' | 'owner' | 'group' | 'validate' | 'follow'
    >()
    const { shape } = File['~definition'].spec as z.ZodObject
    expect(Object.keys(shape).sort()).toEqual([
      'content',
      'follow',
      'group',
      'mode',
      'owner',
      'path',
      'validate',
    ])
  })
})

describe('what is refused', () => {
  test.each<[field: string, value: unknown, message: string]>([
    ['path', 'app.conf', 'is relative; write an absolute path such as /etc/app.conf'],
    ['path', '/etc/../app.conf', 'contains a . or .. segment'],
    ['path', '/etc/./app.conf', 'contains a . or .. segment'],
    ['path', '/etc//app.conf', 'contains //'],
    ['path', '/etc/app.conf/', 'ends with a slash'],
    ['path', '/', 'is the root of the file system'],
    ['path', '', 'is empty'],
    ['path', '/etc/a\0b', 'contains a NUL character'],
    ['path', `/etc/${'é'.repeat(128)}`, 'has a name of more than 255 bytes'],
    ['path', `/${'deep/'.repeat(900)}x`, 'is longer than 4095 bytes'],
    ['mode', 640, "must be four octal digits in quotes, such as '0640'"],
    ['mode', '999', "must be four octal digits, such as '0640'"],
    ['mode', '755', "must be four octal digits, such as '0755'"],
    ['owner', '33', 'is a number in quotes; write 33 without them'],
    ['owner', 'a user', 'must be a name without spaces'],
    ['group', -1, 'must not be negative'],
    ['group', 1.5, 'must be a name or a whole number'],
    ['validate', ['nginx', '-t'], 'must have {} in an argument'],
    ['validate', 'nginx -t {}', 'must be a list: the program, then its arguments'],
    ['validate', [], 'must name a program'],
    ['validate', ['check', '{}', 'a\0b'], 'contains a NUL character'],
    ['content', 'half \ud800', 'contains half a surrogate pair'],
    ['contents', 'x', 'unknown field'],
  ])('%s: %j', (field, value, message) => {
    const spec = { path: '/etc/app.conf', content: '', [field]: value }
    const issues = File(spec as FileSpec)['~score'].issues.map(
      (issue) => `${issue.path.join('.')}: ${issue.message}`,
    )
    expect(issues).toContainEqual(expect.stringMatching(new RegExp(`^${field}.*: ${escaped(message)}`)))
  })

  test('an unknown user fails the plan, before anything is written', async () => {
    const here = new SimulatedTopology()
    const { failures } = await conduct(here, [
      File({ path: '/etc/a', content: '', owner: 'nobody-knows' }),
    ]).plan()
    expect(failures).toMatchObject([
      { code: 'no-such-user', message: 'there is no user "nobody-knows" on this host' },
    ])
  })

  test('a directory that is not empty stays, with all that is in it', async () => {
    const here = new SimulatedTopology({ files: { '/srv/x/kept': 'kept' } })
    const { results } = await conduct(here, [File({ path: '/srv/x', content: '' })]).apply({ adopt: true })
    expect(results[0]?.error).toMatchObject({
      code: 'refused',
      message: '/srv/x is a directory that is not empty, and a file is wanted there',
    })
    expect(here.disk.read('/srv/x/kept')).toBe('kept')
  })

  test('a validator counts as a program for whoever forbids those', () => {
    const programs = (validate?: readonly string[]) => {
      const { spec, '~score': internals } = File({
        path: '/etc/a',
        content: 'a',
        ...(validate && { validate }),
      })
      return internals.definition.programs?.(spec)
    }
    expect([programs(), programs(['visudo', '-cf', '{}'])]).toEqual([false, true])
  })

  test('new content that its validator refuses leaves what was there', async () => {
    const here = new SimulatedTopology()
    const seen: unknown[] = []
    here.shell.on('visudo', ({ argv }, disk) => {
      const candidate = disk.read(argv?.[2] ?? '') ?? ''
      seen.push(argv?.[1], candidate)
      return candidate.includes('bad') ? { exitCode: 1, stderr: `${argv?.[2]}: syntax error` } : undefined
    })
    const sudoers = (content: string) => [
      File({ path: '/etc/sudoers', content, validate: ['visudo', '-cf', '{}'] }),
    ]
    await conduct(here, sudoers('good')).apply()
    const { results } = await conduct(here, sudoers('bad')).apply()
    expect(seen).toEqual(['-cf', 'good', '-cf', 'bad'])
    expect(results[0]?.error).toMatchObject({ code: 'refused' })
    expect(results[0]?.error?.message).toContain('/etc/sudoers: syntax error')
    expect(here.disk.read('/etc/sudoers')).toBe('good')
    expect(here.disk.paths('/etc')).toEqual(['/etc/sudoers'])
  })
})

describe('what a plan shows', () => {
  const differences = async (here: SimulatedTopology, spec: FileSpec, assets = {}) => {
    const { steps } = await conduct(here, [File(spec)], { assets }).plan({ adopt: true })
    return Object.fromEntries((steps[0]?.differences ?? []).map(({ path, from, to }) => [path, [from, to]]))
  }

  test('everything that a new file would have', async () => {
    expect(
      await differences(new SimulatedTopology(), { path: '/etc/a', content: 'a\n', mode: '0640', owner: 0 }),
    ).toEqual({
      '': [null, 'file'],
      content: [null, 'a\n'],
      mode: [null, '0640'],
      owner: [null, 0],
    })
  })

  test('text of both sides, also of a short asset', async () => {
    const here = new SimulatedTopology({ files: { '/etc/a': 'old\n' } })
    expect(await differences(here, { path: '/etc/a', content: asset('a') }, { a: 'new\n' })).toEqual({
      content: ['old\n', 'new\n'],
    })
  })

  test('digest and size of what is binary or long', async () => {
    const binary = new Uint8Array([0, 1, 2])
    const long = 'x'.repeat(70_000)
    const here = new SimulatedTopology({ files: { '/etc/a': binary } })
    expect(await differences(here, { path: '/etc/a', content: long })).toEqual({
      content: [
        { sha256: hash('sha256', binary, 'hex'), size: 3 },
        { sha256: hash('sha256', long, 'hex'), size: 70_000 },
      ],
    })
  })

  test('that a link, a socket or a directory is replaced', async () => {
    const here = new SimulatedTopology()
    here.disk.link('/etc/link', '/nowhere')
    here.disk.makeOther('/etc/socket')
    for (const [path, type] of [
      ['/etc/link', 'symlink'],
      ['/etc/socket', 'other'],
      ['/srv', 'directory'],
    ] as const) {
      const { steps } = await conduct(here, [File({ path, content: '' })]).plan({ adopt: true })
      expect(steps[0]).toMatchObject({
        action: 'replace',
        differences: [{ path: '', from: type, to: 'file', replaces: true }, {}],
      })
    }
  })

  test('nothing of what is not named', async () => {
    const here = new SimulatedTopology({
      files: { '/etc/a': { content: 'a', mode: '0600', owner: 'nobody' } },
    })
    expect(await differences(here, { path: '/etc/a', content: 'a' })).toEqual({})
  })
})

describe('writing', () => {
  test('attributes that are not named stay as they are', async () => {
    const here = new SimulatedTopology({
      files: { '/etc/a': { content: 'old', mode: '0604', owner: 'nobody' } },
    })
    await conduct(here, [File({ path: '/etc/a', content: 'new' })]).apply({ adopt: true })
    expect(here.snapshot()['/etc/a']).toBe('file 0604 nobody:root "new"')
  })

  test('a change of attributes leaves the file itself alone', async () => {
    const here = new SimulatedTopology({ files: { '/etc/a': 'a' } })
    await conduct(here, [File({ path: '/etc/a', content: 'a', mode: '0600' })]).apply({ adopt: true })
    expect(here.writes.filter((write) => write.port === 'files').map((write) => write.method)).toEqual([
      'keep',
      'setAttributes',
    ])
  })

  test('a new file with a secret is for its owner only, unless the spec says otherwise', async () => {
    const here = new SimulatedTopology()
    await conduct(here, [
      File({ path: '/etc/a', content: secret('x') }),
      File({ path: '/etc/b', content: secret('x'), mode: '0640' }),
    ]).apply()
    expect(here.snapshot()).toMatchObject({
      '/etc/a': `file 0600 root:root "${secretValueOf('x')}"`,
      '/etc/b': `file 0640 root:root "${secretValueOf('x')}"`,
    })
  })

  test('a folder that became a link since it was looked at receives nothing', async () => {
    const here = new SimulatedTopology({ files: { '/srv/app/keep': '', '/tmp/trap/keep': '' } })
    const swap = here.files.writeFile.bind(here.files)
    here.files.writeFile = async (...given) => {
      here.disk.remove('/srv/app')
      here.disk.link('/srv/app', '/tmp/trap')
      await swap(...given)
    }
    const { results } = await conduct(here, [File({ path: '/srv/app/a', content: '' })]).apply()
    expect(results[0]?.error).toMatchObject({ code: 'plan-stale' })
    expect(here.disk.paths('/tmp')).toEqual(['/tmp/trap', '/tmp/trap/keep'])
  })

  test('a file that was edited while the new content was validated was overwritten unseen', async () => {
    const here = new SimulatedTopology({ files: { '/etc/a': 'old' } })
    here.shell.on('check', (_, disk) => {
      disk.write('/etc/a', 'precious')
      return { exitCode: 0 }
    })
    const { results } = await conduct(here, [
      File({ path: '/etc/a', content: 'new', validate: ['check', '{}'] }),
    ]).apply({ adopt: true })
    expect(results[0]?.error).toMatchObject({
      code: 'plan-stale',
      message: expect.stringContaining('has changed while the new content was prepared'),
    })
    expect(here.disk.paths('/etc').filter((each) => each.startsWith('/etc/.'))).toEqual([])
    expect(here.disk.read('/etc/a')).toBe('precious')
  })

  test.each(['ENOSPC', 'EROFS', 'EACCES'])(
    '%s is told, with what to do, and leaves what was there',
    async (errno) => {
      const here = new SimulatedTopology({ files: { '/etc/a': 'old' } })
      here.faults.fail(({ method }) => method === 'writeFile', errno)
      const { results } = await conduct(here, [File({ path: '/etc/a', content: 'new' })]).apply({
        adopt: true,
      })
      expect(results[0]?.error).toMatchObject({ code: 'system', data: { errno } })
      expect(results[0]?.error?.hint).toBeTruthy()
      expect(here.disk.read('/etc/a')).toBe('old')
    },
  )
})

describe('through a link', () => {
  const files = { '/opt/real': 'old', '/etc/a': { target: '../opt/real' } }

  test('the target is written and the link stays', async () => {
    const here = new SimulatedTopology({ files })
    await conduct(here, [File({ path: '/etc/a', content: 'new', follow: true })]).apply({ adopt: true })
    expect(here.snapshot()).toMatchObject({
      '/opt/real': 'file 0644 root:root "new"',
      '/etc/a': 'symlink root:root → ../opt/real',
    })
  })

  test('what the link led to when it was written is what is removed', async () => {
    const here = new SimulatedTopology({
      files: { '/etc/a': { target: '/opt/real' }, '/opt/other': 'theirs' },
    })
    const project = conduct(here, [File({ path: '/etc/a', content: 'new', follow: true })])
    await project.apply()
    expect(here.disk.read('/opt/real')).toBe('new')
    here.disk.link('/etc/a', '/opt/other')
    await project.destroy()
    expect(here.disk.paths('/opt')).toEqual(['/opt/other'])
  })

  test('a link that leads to a directory is refused while it is planned', async () => {
    const here = new SimulatedTopology({ files: { '/etc/a': { target: '/opt' } } })
    const { failures } = await conduct(here, [File({ path: '/etc/a', content: 'new', follow: true })]).plan()
    expect(failures).toMatchObject([
      { code: 'refused', message: '/etc/a is a link to /opt, where no file is but a directory' },
    ])
  })

  test('without follow the file takes the place of the link', async () => {
    const here = new SimulatedTopology({ files })
    await conduct(here, [File({ path: '/etc/a', content: 'new' })]).apply({ adopt: true })
    expect(here.snapshot()).toMatchObject({
      '/opt/real': 'file 0644 root:root "old"',
      '/etc/a': 'file 0644 root:root "new"',
    })
  })
})

describe('removal', () => {
  const swapped = (here: SimulatedTopology) => {
    here.disk.move('/srv/app', '/srv/old')
    here.disk.link('/srv/app', '/tmp/victim')
  }

  test('a folder that was swapped for a link had the file behind the link removed', async () => {
    const here = new SimulatedTopology({ files: { '/tmp/victim/a': 'precious', '/srv/app/keep': '' } })
    const project = conduct(here, [File({ path: '/srv/app/a', content: '' })])
    await project.apply()
    swapped(here)
    const { results } = await project.destroy()
    expect(results[0]?.error).toMatchObject({
      code: 'refused',
      message: '/srv/app/a is not removed: it was put into /srv/app, and its path leads into /tmp/victim now',
      hint: expect.stringContaining('if it was moved on purpose'),
    })
    expect(here.disk.read('/tmp/victim/a')).toBe('precious')
    here.disk.remove('/tmp/victim/a')
    expect((await project.destroy()).outcomes).toMatchObject({ success: 1, failure: 0 })
  })

  test('what was there before was put back over the file behind such a link', async () => {
    const here = new SimulatedTopology({ files: { '/tmp/victim/a': 'precious', '/srv/app/a': 'before' } })
    const project = conduct(here, [File({ path: '/srv/app/a', content: 'ours' })])
    await project.apply({ adopt: true })
    swapped(here)
    expect((await project.destroy()).results[0]?.error).toMatchObject({ code: 'refused' })
    expect(here.disk.read('/tmp/victim/a')).toBe('precious')
  })

  test('a folder that is swapped while the file is removed redirects nothing', async () => {
    const here = new SimulatedTopology({ files: { '/tmp/victim/a': 'precious', '/srv/app/keep': '' } })
    const project = conduct(here, [File({ path: '/srv/app/a', content: '' })])
    await project.apply()
    const remove = here.files.remove.bind(here.files)
    here.files.remove = async (...given) => {
      swapped(here)
      return await remove(...given)
    }
    expect((await project.destroy()).results[0]?.error).toMatchObject({ code: 'plan-stale' })
    expect(here.disk.read('/tmp/victim/a')).toBe('precious')
  })

  test('a file that was found as wanted goes wherever its folder is by then', async () => {
    const here = new SimulatedTopology({ files: { '/tmp/victim/a': '', '/srv/app/a': '' } })
    const project = conduct(here, [File({ path: '/srv/app/a', content: '' })])
    await project.apply()
    here.disk.move('/srv/app', '/opt/app')
    here.disk.link('/srv/app', '/opt/app')
    const { outcomes } = await project.destroy()
    expect(outcomes).toMatchObject({ failure: 0 })
    expect(here.disk.exists('/opt/app/a')).toBe(false)
  })

  test('the memory of another path does not keep a renamed file from being removed', async () => {
    const here = new SimulatedTopology({ files: { '/opt/keep': '', '/srv/keep': '' } })
    await conduct(here, [File({ path: '/opt/a', content: '' })]).apply()
    here.disk.move('/opt/a', '/srv/a')
    const renamed = conduct(here, [File({ path: '/srv/a', content: '', formerly: ['/opt/a'] })])
    await renamed.apply()
    expect((await renamed.destroy()).outcomes).toMatchObject({ failure: 0 })
    expect(here.disk.exists('/srv/a')).toBe(false)
  })

  test('a directory that has taken the place of the file is left alone', async () => {
    const here = new SimulatedTopology()
    const project = conduct(here, [File({ path: '/etc/a', content: '' })])
    await project.apply()
    here.disk.remove('/etc/a')
    here.disk.makeDirectory('/etc/a')
    const { events, outcomes } = await project.destroy()
    expect(outcomes).toMatchObject({ success: 1, failure: 0 })
    expect(events).toContainEqual(
      expect.objectContaining({ message: 'left /etc/a in place: it is not a file any more' }),
    )
    expect(here.disk.exists('/etc/a')).toBe(true)
  })
})

describe('outputs and status', () => {
  test('path and digest go into the specs of others', async () => {
    const here = new SimulatedTopology()
    const source = File({ path: '/etc/a', content: 'hello' })
    const copy = File({ path: '/etc/b', content: text`${source.out.path} ${source.out.sha256}` })
    await conduct(here, [copy, source]).apply()
    expect(here.disk.read('/etc/b')).toBe(`/etc/a ${hash('sha256', 'hello', 'hex')}`)
  })

  test('the digest of a secret is given to nobody', async () => {
    const here = new SimulatedTopology()
    const source = File({ path: '/etc/a', content: secret('x') })
    const { results } = await conduct(here, [
      source,
      File({ path: '/etc/b', content: source.out.sha256 }),
    ]).apply()
    expect(results.find((result) => result.address === 'File:/etc/b')?.error).toMatchObject({
      code: 'unresolved-reference',
    })
    const entry = await here.files.inspect('/etc/a', { content: true })
    expect(File.status({ at: '/etc/a', entry, secret: true, ahead: undefined })).toEqual({
      type: 'file',
      size: secretValueOf('x').length,
      sha256: undefined,
      mode: '0600',
      owner: 'root',
      group: 'root',
    })
  })

  test('an absent file has a status too', () => {
    expect(
      File.status({ at: '/a', entry: { type: 'absent', folder: '/' }, secret: false, ahead: undefined }),
    ).toEqual({
      type: 'absent',
    })
  })
})

function escaped(message: string): string {
  return message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
