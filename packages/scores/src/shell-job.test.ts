import { HarmonyError, secret } from '@harmony-iac/core'
import { conduct, SimulatedTopology, scoreConformance, secretValueOf } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { File, ShellJob, type ShellJobSpec } from './index.ts'

/** A host where `make` makes a file, `unmake` takes it away, `look` tells whether it is there, and others do nothing. */
function workshop(): SimulatedTopology {
  const here = new SimulatedTopology()
  here.shell
    .on(
      () => true,
      () => ({}),
      { reads: true },
    )
    .on('make', ({ argv, options }, disk) => {
      disk.write(argv?.[1] ?? '', `${options.env?.WHAT ?? ''}${options.stdin ?? ''}`)
      return { stdout: `made ${options.env?.WHAT ?? ''}\n` }
    })
    .on('unmake', ({ argv }, disk) => {
      disk.remove(argv?.[1] ?? '')
      return {}
    })
    .on('look', ({ argv }, disk) => ({ exitCode: disk.exists(argv?.[1] ?? '') ? 0 : 1 }), { reads: true })
    .on('make it\n', (_, disk) => {
      disk.write('/srv/scripted', 'x')
      return {}
    })
  return here
}

describe('the contract', () => {
  const checks = scoreConformance({
    factory: ShellJob,
    topology: workshop,
    cases: [
      {
        name: 'guarded by what it creates',
        scores: () => [
          ShellJob({
            name: 'make',
            argv: ['make', '/srv/made'],
            creates: '/srv/made',
            env: { WHAT: secret('what') },
            stdin: 'from standard input',
            undo: ['unmake', '/srv/made'],
          }),
        ],
        tampers: {
          '': ({ disk }) => disk.remove('/srv/made'),
          creates: ({ disk }) => disk.remove('/srv/made'),
        },
      },
      {
        name: 'guarded by a program',
        scores: () => [
          ShellJob({
            name: 'make',
            argv: ['make', '/srv/made'],
            unless: ['look', '/srv/made'],
            undo: ['unmake', '/srv/made'],
          }),
        ],
        tampers: { unless: ({ disk }) => disk.remove('/srv/made') },
      },
      {
        name: 'once for each spec',
        scores: () => [
          ShellJob({ name: 'make', argv: ['make', '/srv/made'], undo: ['unmake', '/srv/made'] }),
        ],
        updated: () => [
          ShellJob({
            name: 'make',
            argv: ['make', '/srv/made'],
            env: { WHAT: 'more' },
            undo: ['unmake', '/srv/made'],
          }),
        ],
      },
      {
        name: 'a script',
        scores: () => [
          ShellJob({ name: 'script', script: 'make it\n', cwd: '/srv', undo: ['unmake', '/srv/scripted'] }),
        ],
      },
    ],
    exempt: {
      name: 'is what it is called, here and nowhere on the host',
      argv: 'what a program did cannot be read from the host; another argv is another spec, which runs',
      script: 'as argv',
      cwd: 'as argv',
      env: 'as argv',
      stdin: 'as argv',
      timeout: 'as argv',
      undo: 'runs at removal',
    },
    hostileMayFail: 'it runs whatever program its text names, and most of them make nothing',
  })
  for (const check of checks) test(check.name, check.run)
})

describe('what is refused', () => {
  test.each<[spec: Record<string, unknown>, issue: string]>([
    [{ argv: undefined }, ': give argv or script: what is to run'],
    [{ script: 'true' }, ': give argv or script, not both'],
    [{ argv: [] }, 'argv: must name a program'],
    [{ argv: [''] }, 'argv.0: must name a program'],
    [{ argv: 'make it' }, 'argv: must be a list: the program, then its arguments'],
    [
      { argv: ['a', secret('b')] },
      'argv.1: must be text; a secret or an output of another Score goes into env or stdin',
    ],
    [{ argv: ['a', 'b\0c'] }, 'argv.1: contains a NUL character, which no argument can hold'],
    [
      { name: '-rf' },
      'name: must be 1 to 128 letters, digits, spaces and . _ : @ / + -, and start with a letter or digit',
    ],
    [{ cwd: 'srv' }, 'cwd: is relative; write an absolute path such as /etc/srv'],
    [{ timeout: 100_000 }, 'timeout: must be at most a day'],
  ])('%j', (spec, issue) => {
    const { issues } = ShellJob({ name: 'job', argv: ['a'], ...spec } as unknown as ShellJobSpec)['~score']
    expect(issues.map((each) => `${each.path.join('.')}: ${each.message}`)).toEqual([issue])
  })

  test('the JSON Schema says that it is one of two', async () => {
    const { toJSONSchema } = await import('zod')
    expect(toJSONSchema(ShellJob['~definition'].spec, { io: 'input' })).toMatchObject({
      oneOf: [{ required: ['argv'] }, { required: ['script'] }],
    })
  })

  test('the compiler takes one of the two', () => {
    // @ts-expect-error both
    ShellJob({ name: 'both', argv: ['a'], script: 'b' })
    // @ts-expect-error none
    ShellJob({ name: 'none' })
    // @ts-expect-error secrets stay out of arguments
    ShellJob({ name: 'secret', argv: ['a', secret('b')] })
  })
})

describe('when it runs', () => {
  const runs = (here: SimulatedTopology) =>
    here.shell.calls.filter((call) => call.argv?.[0] === 'work').length

  test('without a guard once for each spec, whatever the order of its fields', async () => {
    const here = new SimulatedTopology()
    const job = (spec: Partial<ShellJobSpec>) => [
      ShellJob({ name: 'job', argv: ['work'], ...spec } as ShellJobSpec),
    ]
    for (const [spec, total] of [
      [{ env: { A: '1', B: '2' } }, 1],
      [{ env: { B: '2', A: '1' } }, 1],
      [{ env: { A: '1' } }, 2],
      [{ env: { A: '1' } }, 2],
      [{ argv: ['work', 'harder'] }, 3],
    ] as const) {
      await conduct(here, job(spec)).apply()
      expect(runs(here)).toBe(total)
    }
  })

  test('again after a cause has changed, once for all of them, and not right after its first run', async () => {
    const here = new SimulatedTopology()
    const project = (a: string, b: string) => {
      const causes = [File({ path: '/etc/a', content: a }), File({ path: '/etc/b', content: b })]
      return conduct(here, [causes, ShellJob({ name: 'job', argv: ['work'], rerunOn: causes })])
    }
    await project('1', '1').apply()
    expect(runs(here)).toBe(1)
    await project('1', '1').apply()
    expect(runs(here)).toBe(1)
    await project('2', '2').apply()
    expect(runs(here)).toBe(2)
    here.disk.write('/etc/a', 'tampered')
    await project('2', '2').apply()
    expect(runs(here)).toBe(3)
  })

  test('a job whose guard is satisfied from the start does not run', async () => {
    const here = new SimulatedTopology({ files: { '/srv/made': '' } })
    await conduct(here, [ShellJob({ name: 'job', argv: ['work'], creates: '/srv/made' })]).apply()
    expect(runs(here)).toBe(0)
  })

  test('a job that does not make its guard true has failed', async () => {
    const here = new SimulatedTopology()
    const { results } = await conduct(here, [
      ShellJob({ name: 'job', argv: ['work'], creates: '/srv/made' }),
    ]).apply()
    expect(results[0]?.error).toMatchObject({ code: 'not-converged' })
  })

  test('what it creates is not purged as nobody’s', async () => {
    const { Directory } = await import('./index.ts')
    const here = workshop()
    const project = conduct(here, [
      Directory({ path: '/srv/app', purge: true }),
      ShellJob({ name: 'make', argv: ['make', '/srv/app/made'], creates: '/srv/app/made' }),
    ])
    await project.apply()
    expect((await project.apply()).changed).toBe(0)
    expect(here.disk.exists('/srv/app/made')).toBe(true)
  })
})

describe('how it ends', () => {
  const ended = async (result: object, spec: Partial<ShellJobSpec> = {}) => {
    const here = new SimulatedTopology()
    here.shell.on('work', () => result)
    const passed = await conduct(here, [
      ShellJob({ name: 'job', argv: ['work', 'now'], ...spec } as ShellJobSpec),
    ]).apply()
    const audits = passed.events.flatMap((event) => (event.type === 'audit' ? [event.entry] : []))
    return { here, error: passed.results[0]?.error, audits, events: passed.events }
  }

  test('a status other than 0 fails with the end of what it said', async () => {
    const { error, audits } = await ended({
      exitCode: 3,
      stderr: 'line 1\nwhat went wrong\n',
      durationMs: 12,
    })
    expect(error).toMatchObject({ code: 'command-failed', data: { exitCode: 3 } })
    expect(error?.message).toBe('work failed with exit status 3: line 1\nwhat went wrong')
    expect(audits).toEqual([
      {
        argv: ['work', 'now'],
        cwd: '/',
        exitCode: 3,
        signal: null,
        timedOut: false,
        durationMs: 12,
        stdout: '',
        stderr: 'line 1\nwhat went wrong\n',
      },
    ])
  })

  test('a failed job runs again in the next pass', async () => {
    const { here } = await ended({ exitCode: 1 })
    here.shell.on('work', () => ({}))
    const { outcomes } = await conduct(here, [ShellJob({ name: 'job', argv: ['work', 'now'] })]).apply()
    expect(outcomes).toMatchObject({ success: 1 })
  })

  test('one that takes too long is ended, and it is said', async () => {
    const { error } = await ended({ durationMs: 5000 }, { timeout: 2 })
    expect(error).toMatchObject({ code: 'timeout', message: 'work was still running after 2 s' })
  })

  test('a guard that takes too long fails the plan', async () => {
    const here = new SimulatedTopology()
    here.shell.on('look', () => ({ durationMs: 5000 }), { reads: true })
    const { failures } = await conduct(here, [
      ShellJob({ name: 'job', argv: ['work'], unless: ['look'], timeout: 2 }),
    ]).plan()
    expect(failures).toMatchObject([
      { code: 'timeout', message: 'the guard unless was still running after 2 s' },
    ])
  })

  test('one that a signal ended says which', async () => {
    const { error } = await ended({ exitCode: null, signal: 'SIGSEGV' })
    expect(error?.message).toBe('work was ended by SIGSEGV')
  })

  test('of the output an audit holds the last 4 KiB, and the surface gets all of it', async () => {
    const { audits, events } = await ended({ stdout: `start${'x'.repeat(10_000)}end` })
    expect(String(audits[0]?.stdout)).toHaveLength(4096)
    expect(String(audits[0]?.stdout)).toMatch(/end$/)
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'output', stream: 'stdout', text: expect.stringMatching(/^start/) }),
    )
  })

  test('a secret that it prints is masked in output, audit and error', async () => {
    const value = secretValueOf('token')
    const { error, audits, events } = await ended(
      { exitCode: 1, stdout: value, stderr: value },
      { env: { TOKEN: secret('token') } },
    )
    expect(JSON.stringify([error, audits, events])).not.toContain(value)
    expect(audits[0]?.stdout).toBe('••••••')
  })
})

describe('taking it back', () => {
  test('undo gets what is no secret', async () => {
    const here = workshop()
    const project = conduct(here, [
      ShellJob({
        name: 'job',
        argv: ['work'],
        env: { A: 'plain', B: secret('b') },
        cwd: '/srv',
        undo: 'take it back',
      }),
    ])
    await project.apply()
    await project.destroy()
    expect(here.shell.calls.at(-1)).toMatchObject({
      script: 'take it back',
      options: { cwd: '/srv', env: { A: 'plain' } },
    })
  })

  test('a job that failed half-way is taken back too: what it did cannot be seen', async () => {
    const here = new SimulatedTopology()
    here.shell.on('work', () => ({ exitCode: 1 }))
    const project = conduct(here, [
      ShellJob({ name: 'job', argv: ['work'], undo: ['undo'] }),
      ShellJob({ name: 'guarded', argv: ['make'], creates: '/srv/never', undo: ['unmake'] }),
      ShellJob({ name: 'for good', argv: ['work'] }),
    ])
    expect((await project.apply()).outcomes).toMatchObject({ failure: 3 })
    expect(await project.entries()).toHaveLength(2)
    expect((await project.destroy()).outcomes).toMatchObject({ success: 2, failure: 0 })
    const ran = here.shell.calls.map(({ argv }) => argv?.[0])
    expect(ran).toEqual(expect.arrayContaining(['undo', 'unmake']))
    expect(await project.entries()).toHaveLength(0)
  })

  test('a job that could not be started is not taken back: the same would keep that from starting', async () => {
    const here = new SimulatedTopology()
    here.shell.on('work', () => {
      throw new HarmonyError('command-failed', 'work: cannot be started')
    })
    const project = conduct(here, [ShellJob({ name: 'job', argv: ['work'], undo: ['undo'] })])
    expect((await project.apply()).outcomes).toMatchObject({ failure: 1 })
    expect(await project.entries()).toHaveLength(0)
  })

  test('an undo that fails leaves the job in the ledger', async () => {
    const here = new SimulatedTopology()
    here.shell.on('undo', () => ({ exitCode: 1 }))
    const project = conduct(here, [ShellJob({ name: 'job', argv: ['work'], undo: ['undo'] })])
    await project.apply()
    expect((await project.destroy()).outcomes).toMatchObject({ failure: 1 })
    expect(await project.entries()).toHaveLength(1)
  })

  test('the status tells how often it ran', () => {
    expect(ShellJob.status({ due: undefined, unless: null, memory: { digest: '', runs: 2 } })).toEqual({
      done: true,
      runs: 2,
    })
    expect(ShellJob.status({ due: 'never ran', unless: null, memory: undefined })).toEqual({
      done: false,
      runs: 0,
    })
  })
})
