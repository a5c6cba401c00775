import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { File, SystemdService, type SystemdServiceSpec } from './index.ts'

const text = (command: string) =>
  `[Unit]\nDescription=Player\n\n[Service]\nExecStart=${command}\n\n[Install]\nWantedBy=multi-user.target\n`
const file = '/etc/systemd/system/player.service'
const packaged =
  '[Service]\nExecStart=/usr/sbin/nginx\nExecReload=/bin/kill -HUP $MAINPID\n\n[Install]\nWantedBy=multi-user.target\n'

/** A machine with a package's own service. */
function machine(): SimulatedTopology {
  const here = new SimulatedTopology()
  here.services.install('nginx.service', packaged)
  return here
}

const player = (more: Partial<SystemdServiceSpec> = {}) =>
  SystemdService({ name: 'player', unit: text('/usr/bin/player'), enabled: true, active: true, ...more })

describe('the contract', () => {
  const checks = scoreConformance({
    factory: SystemdService,
    topology: machine,
    cases: [
      {
        name: 'with its file as text',
        scores: () => [player({ restartOnChange: true })],
        updated: () => [
          player({ unit: text('/usr/bin/player --loud'), enabled: false, restartOnChange: true }),
        ],
        occupied: ({ disk, services }) => {
          disk.write(file, text('/usr/bin/older'), { mode: '0600' })
          services.operate('player.service', 'reload-manager')
          services.operate('player.service', 'start')
        },
        tampers: {
          '': ({ disk }) => disk.remove(file),
          'unit.Service': ({ disk }) => disk.write(file, text('/usr/bin/evil')),
          enabled: ({ services }) => services.operate('player.service', 'disable'),
          active: ({ services }) => services.operate('player.service', 'stop'),
          restartOnChange: ({ disk, services }) => {
            disk.write(file, text('/usr/bin/player'))
            services.operate('player.service', 'reload-manager')
          },
        },
      },
      {
        name: 'with its file described, and drop-ins',
        scores: () => [
          SystemdService({
            name: 'player.service',
            unit: {
              Unit: { Description: 'Player', After: ['network.target', 'sound.target'] },
              Service: { ExecStart: '/usr/bin/player', Environment: ['A=1', 'B=2'], Nice: 5 },
              Install: { WantedBy: 'multi-user.target' },
            },
            dropIns: { '10-limits': '[Service]\nLimitNOFILE=65536\n' },
            enabled: true,
          }),
        ],
        updated: () => [
          SystemdService({
            name: 'player',
            unit: { Service: { ExecStart: '/usr/bin/player', RemainAfterExit: true } },
            dropIns: { '20-other': '[Service]\nNice=3\n' },
          }),
        ],
        tampers: {
          'unit.Unit': ({ disk }) => disk.write(file, disk.read(file)?.replace('Player', 'Other') ?? ''),
          'unit.Service': ({ disk }) => disk.write(file, `${disk.read(file)}\n[Service]\nNice=0\n`),
          'unit.Install': ({ disk }) => disk.write(file, disk.read(file)?.replace('multi-user', 'x') ?? ''),
          dropIns: ({ disk }) => disk.remove(`${file}.d/10-limits.harmony.conf`),
        },
      },
      {
        name: "a package's own, running",
        scores: () => [
          SystemdService({
            name: 'nginx',
            enabled: true,
            active: true,
            dropIns: { limits: '[Service]\nLimitNOFILE=1024\n' },
          }),
        ],
        updated: () => [SystemdService({ name: 'nginx', enabled: false, active: false })],
      },
      {
        name: "a package's own, masked",
        prepare: ({ services }) => {
          services.operate('nginx.service', 'enable')
          services.operate('nginx.service', 'start')
        },
        scores: () => [SystemdService({ name: 'nginx', masked: true, active: false })],
        updated: () => [SystemdService({ name: 'nginx', masked: false, active: true })],
        tampers: { masked: ({ services }) => services.operate('nginx.service', 'unmask') },
      },
    ],
    exempt: {
      name: 'is the identity: under another name it is another unit',
      stableForMs: 'says how long a start is watched, and is no property of what is there',
      startTimeoutMs: 'says how long a start is waited for, and is no property of what is there',
    },
  })
  for (const check of checks) test(check.name, check.run)

  test('the interface and the schema have the same fields', () => {
    type Fields = keyof Required<SystemdServiceSpec>
    expectTypeOf<Fields>().toEqualTypeOf<
      | 'name'
      | 'unit'
      | 'dropIns'
      | 'enabled'
      | 'active'
      | 'masked'
      | 'restartOnChange'
      | 'stableForMs'
      | 'startTimeoutMs'
    >()
  })
})

describe('what is refused before anything is looked at', () => {
  test.each<[spec: Partial<Record<keyof SystemdServiceSpec, unknown>>, field: string, message: string]>([
    [{ name: 'a/b' }, 'name', 'must be the name of a service, such as nginx'],
    [{ name: '../x' }, 'name', 'must be the name of a service, such as nginx'],
    [{ name: 'backup.timer' }, 'name', 'is a unit of another type than service'],
    [{ name: '.service' }, 'name', 'begins with a dot or a dash'],
    [{ name: 'getty@' }, 'name', 'is a template; name an instance of it, such as getty@tty1'],
    [{ unit: '[Unit]\n' }, 'unit', 'has no [Service] section'],
    [{ unit: { Service: { ExecStart: '/bin/a\nUser=root' } } }, 'unit.Service.ExecStart', 'line break'],
    [{ unit: { Service: { ExecStart: '/bin/a \\' } } }, 'unit.Service.ExecStart', 'ends with a backslash'],
    [{ unit: { Service: { 'Exec Start': '/bin/a' } } }, 'unit.Service.Exec Start', 'is no key'],
    [{ unit: '[Service]\n', enabled: true }, 'enabled', 'has no effect without an [Install] section'],
    [{ unit: '[Service]\n', masked: true }, 'masked', 'cannot be had with unit'],
    [{ masked: true, enabled: true }, 'enabled', 'what is masked cannot be enabled'],
    [{ masked: true, active: true }, 'active', 'what is masked cannot be started'],
    [{ stableForMs: 1000 }, 'stableForMs', 'needs active: true'],
    [{ dropIns: { 'a/b': '' } }, 'dropIns.a/b', 'must be letters, digits'],
    [{ dropIns: { 'a.conf': '[Service]\n' } }, 'dropIns.a.conf', 'is written without .conf'],
  ])('%j', (spec, field, message) => {
    const issues = SystemdService({ name: 'nginx', ...spec } as SystemdServiceSpec)['~score'].issues.map(
      (issue) => `${issue.path.join('.')}: ${issue.message}`,
    )
    expect(issues.join('\n')).toContain(`${field}: `)
    expect(issues.join('\n')).toContain(message)
  })
})

describe('what can never be as wanted fails the plan, in clear words', () => {
  test.each<[title: string, prepare: (here: SimulatedTopology) => void, message: string]>([
    ['does not exist', ({ disk }) => disk.remove('/usr/lib/systemd/system/nginx.service'), 'does not exist'],
    [
      'masked',
      ({ services }) => services.operate('nginx.service', 'mask'),
      'is masked, so it can be neither',
    ],
    [
      'static',
      ({ services }) => services.install('nginx.service', '[Service]\nExecStart=/usr/sbin/nginx\n'),
      'cannot be enabled: it is static',
    ],
  ])('%s', async (_, prepare, message) => {
    const here = machine()
    prepare(here)
    const { failures } = await conduct(here, [
      SystemdService({ name: 'nginx', enabled: true, active: true }),
    ]).plan()
    expect(failures).toMatchObject([{ code: 'refused', message: expect.stringContaining(message) }])
    expect(failures[0]?.hint).not.toBe('')
  })

  test('but one that is to be stopped need not exist', async () => {
    const here = new SimulatedTopology()
    const { changed } = await conduct(here, [
      SystemdService({ name: 'nginx', enabled: false, active: false }),
    ]).apply()
    expect(changed).toBe(0)
  })
})

const outcomeOf = async (here: SimulatedTopology, score: ReturnType<typeof player>) => {
  const { results, events } = await conduct(here, [score]).apply()
  return { result: results[0], events }
}

describe('starting', () => {
  test('one that takes its time is waited for, outside the slot', async () => {
    const here = machine()
    here.services.behave('player.service', { startMs: 30_000 })
    const { result, events } = await outcomeOf(here, player())
    expect(result?.outcome).toBe('success')
    expect(events.some(({ type }) => type === 'settling')).toBe(true)
    expect(here.clock.now()).toBeGreaterThanOrEqual(30_000)
  })

  test('one that takes too long fails at its deadline', async () => {
    const here = machine()
    here.services.behave('player.service', { startMs: 30_000, says: ['waiting for the network'] })
    const { result } = await outcomeOf(here, player({ startTimeoutMs: 5000 }))
    expect(result).toMatchObject({ outcome: 'failure', error: { code: 'not-converged' } })
    expect(result?.error?.message).toContain('player.service is activating (start)')
    expect(result?.error?.message).toContain('waiting for the network')
  })

  test('one that fails while it starts shows what it said', async () => {
    const here = machine()
    here.services.behave('player.service', { startMs: 10, exit: 3, says: ['no such device'] })
    const unit = text('/usr/bin/player').replace('[Service]', '[Service]\nType=oneshot')
    const { result } = await outcomeOf(here, player({ unit }))
    expect(result).toMatchObject({ outcome: 'failure', error: { code: 'command-failed' } })
    expect(result?.error?.message).toContain('no such device')
  })

  test('a crash loop is a failure although it is running for moments', async () => {
    const here = machine()
    here.services.behave('player.service', { startMs: 3000, endMs: 1, says: ['out of memory'] })
    const unit = text('/usr/bin/player').replace('[Service]', '[Service]\nRestart=always')
    const { result } = await outcomeOf(here, player({ unit, stableForMs: 500 }))
    expect(result).toMatchObject({ outcome: 'failure', error: { code: 'not-converged' } })
    expect(result?.error?.message).toContain('out of memory')
  })

  test('one that starts well and dies a second later is found out by stableForMs', async () => {
    const here = machine()
    here.services.behave('player.service', { endMs: 1000, says: ['cannot bind'] })
    expect((await outcomeOf(here, player())).result?.outcome).toBe('success')
    await here.clock.advance(5000)
    const { result } = await outcomeOf(here, player({ stableForMs: 3000 }))
    expect(result).toMatchObject({ outcome: 'failure', error: { code: 'not-converged' } })
    expect(result?.error?.message).toContain('cannot bind')
  })

  test('a stable one is settled, and is a no-op from then on', async () => {
    const here = machine()
    const project = conduct(here, [player({ stableForMs: 3000 })])
    await project.apply()
    expect(here.clock.now()).toBeGreaterThanOrEqual(3000)
    expect((await project.apply()).changed).toBe(0)
  })

  test('one that hit its start limit is started anew once its file is corrected', async () => {
    const here = machine()
    here.services.behave('player.service', { startMs: 10, endMs: 1 })
    const unit = text('/usr/bin/player').replace('[Service]', '[Service]\nRestart=always')
    await outcomeOf(here, player({ unit, stableForMs: 1000 }))
    await here.clock.advance(60_000)
    expect((await here.services.look('player.service')).result).toBe('start-limit-hit')
    here.services.behave('player.service', {})
    expect((await outcomeOf(here, player())).result?.outcome).toBe('success')
  })
})

describe('one that runs to its end', () => {
  const unit = '[Service]\nType=oneshot\nExecStart=/bin/true\n'

  test('has done its part once it ended well, and is not run again', async () => {
    const here = machine()
    const project = conduct(here, [SystemdService({ name: 'once', unit, active: true })])
    expect((await project.apply()).changed).toBe(1)
    expect((await here.services.look('once.service')).active).toBe('inactive')
    expect((await project.apply()).changed).toBe(0)
  })

  test('stays active with RemainAfterExit', async () => {
    const here = machine()
    const stays = unit.replace('oneshot', 'oneshot\nRemainAfterExit=yes')
    const project = conduct(here, [SystemdService({ name: 'once', unit: stays, active: true })])
    await project.apply()
    expect((await here.services.look('once.service')).sub).toBe('exited')
    expect((await project.apply()).changed).toBe(0)
  })

  test('is run again when what it reacts to has changed', async () => {
    const here = machine()
    const config = (content: string) => File({ path: '/etc/once.conf', content })
    const both = (content: string) => {
      const cause = config(content)
      return [cause, SystemdService({ name: 'once', unit, active: true, restartOn: [cause] })]
    }
    here.services.behave('once.service', { says: ['ran'] })
    await conduct(here, both('1')).apply()
    await conduct(here, both('2')).apply()
    expect(await here.services.journal('once.service', 10)).toEqual(['ran', 'ran'])
  })
})

describe('changes of its files', () => {
  test('are read by the manager, and a running service goes on as it was', async () => {
    const here = machine()
    await conduct(here, [player()]).apply()
    const { invocation } = await here.services.look('player.service')
    await conduct(here, [player({ unit: text('/usr/bin/player -v') })]).apply()
    expect(await here.services.look('player.service')).toMatchObject({ invocation, needsReload: false })
  })

  test('restart it if asked to', async () => {
    const here = machine()
    await conduct(here, [player()]).apply()
    const { invocation } = await here.services.look('player.service')
    await conduct(here, [player({ unit: text('/usr/bin/player -v'), restartOnChange: true })]).apply()
    expect((await here.services.look('player.service')).invocation).not.toBe(invocation)
  })

  test('are refused when they are not valid, and what was there stays', async () => {
    const here = machine()
    await conduct(here, [player()]).apply()
    const { results } = await conduct(here, [player({ unit: text('player') })]).apply()
    expect(results).toMatchObject([{ outcome: 'failure', error: { code: 'refused' } }])
    expect(here.disk.read(file)).toBe(text('/usr/bin/player'))
  })

  test('a drop-in that has left the spec is removed, and its folder with the last one', async () => {
    const here = machine()
    const nginx = (dropIns: Record<string, string>) => SystemdService({ name: 'nginx', dropIns })
    await conduct(here, [nginx({ a: '[Service]\nNice=1\n', b: '[Service]\nNice=2\n' })]).apply()
    await conduct(here, [nginx({ a: '[Service]\nNice=1\n' })]).apply()
    const folder = '/etc/systemd/system/nginx.service.d'
    expect(here.disk.paths(folder)).toEqual([`${folder}/a.harmony.conf`])
    await conduct(here, [nginx({})]).apply()
    expect(here.disk.exists(folder)).toBe(false)
  })
})

describe('reactions', () => {
  const project = (content: string, how: 'restartOn' | 'reloadOn', active?: boolean) => {
    const config = File({ path: '/etc/nginx.conf', content })
    return [config, SystemdService({ name: 'nginx', active, [how]: [config] })]
  }

  test('reloadOn has it read its configuration again, and restarts nothing', async () => {
    const here = machine()
    await conduct(here, project('1', 'reloadOn', true)).apply()
    const { invocation } = await here.services.look('nginx.service')
    await conduct(here, project('2', 'reloadOn', true)).apply()
    expect((await here.services.look('nginx.service')).invocation).toBe(invocation)
    expect(await here.services.journal('nginx.service', 1)).toEqual(['Reloaded.'])
  })

  test('restartOn restarts a running one, once', async () => {
    const here = machine()
    await conduct(here, project('1', 'restartOn', true)).apply()
    const { invocation } = await here.services.look('nginx.service')
    await conduct(here, project('2', 'restartOn', true)).apply()
    const { invocation: second } = await here.services.look('nginx.service')
    expect(second).not.toBe(invocation)
    expect((await conduct(here, project('2', 'restartOn', true)).apply()).changed).toBe(0)
  })

  test('one that is stopped stays stopped', async () => {
    const here = machine()
    await conduct(here, project('1', 'restartOn')).apply()
    await conduct(here, project('2', 'restartOn')).apply()
    expect((await here.services.look('nginx.service')).active).toBe('inactive')
  })
})

test('it comes after what its text names', async () => {
  const here = machine()
  const program = File({ path: '/usr/local/bin/player', content: '#!/bin/sh\n', mode: '0755' })
  const unit = text('-/usr/local/bin/player --config %h/x').replace(
    '[Service]',
    '[Service]\nUser=player\nEnvironmentFile=-/etc/player.env\nWorkingDirectory=%S/player',
  )
  const plan = await conduct(here, [player({ unit }), program]).plan()
  expect(plan.steps.find(({ kind }) => kind === 'SystemdService')?.after).toEqual([program.id])
  const { uses } = SystemdService['~definition']
  expect(uses?.({ name: 'player', unit, startTimeoutMs: 1 })).toEqual([
    { type: 'path', path: '/etc/systemd/system' },
    { type: 'name', space: 'user', name: 'player' },
    { type: 'path', path: '/etc/player.env' },
    { type: 'path', path: '/usr/local/bin/player' },
  ])
})

test('it comes after the package of its name without a word', () => {
  const { uses } = SystemdService['~definition']
  expect(uses?.({ name: 'getty@tty1', startTimeoutMs: 1 })).toContainEqual({
    type: 'name',
    space: 'package',
    name: 'getty',
  })
})

describe('a service that ran before its Score', () => {
  const site = File({ path: '/etc/site.conf', content: 'listen 8080\n' })
  const nginx = SystemdService({ name: 'nginx', active: true, reloadOn: [site] })

  test('reloads for a file that comes with it, and the plan says so', async () => {
    const here = machine()
    here.services.operate('nginx.service', 'start')
    const project = conduct(here, [site, nginx])
    const plan = await project.plan()
    expect(plan.steps.find(({ kind }) => kind === 'SystemdService')).toMatchObject({
      action: 'react',
      reactions: [{ name: 'reloadOn', causes: ['File:/etc/site.conf'] }],
    })
    const { events } = await project.apply()
    expect(events).toContainEqual(expect.objectContaining({ type: 'reaction', reaction: 'reloadOn' }))
    expect((await project.apply()).changed).toBe(0)
  })

  test('reloads also when the pass before was killed between the two', async () => {
    const here = machine()
    here.services.operate('nginx.service', 'start')
    await conduct(here, [site]).apply()
    const { events } = await conduct(here, [site, nginx]).apply()
    expect(events).toContainEqual(expect.objectContaining({ type: 'reaction', reaction: 'reloadOn' }))
  })

  test('is not reloaded when it is only started now, nor for a file that was as wanted before us', async () => {
    const stopped = machine()
    const first = await conduct(stopped, [site, nginx]).apply()
    expect(first.events.filter(({ type }) => type === 'reaction')).toEqual([])
    const here = machine()
    here.disk.write('/etc/site.conf', 'listen 8080\n')
    here.services.operate('nginx.service', 'start')
    const { events } = await conduct(here, [site, nginx]).apply()
    expect(events.filter(({ type }) => type === 'reaction')).toEqual([])
  })
})
