import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { File } from '@harmony-iac/scores'
import { describe, expect, test } from 'vitest'
import { HostName } from './host-name.ts'
import { hostsFiles } from './hosts-file.ts'

// #region conformance
const usual = '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n'

/** A machine in memory that offers what the kind needs. Its `files` count every write, so the kit can kill each one. */
class SimulatedHost extends SimulatedTopology {
  readonly hostTables = hostsFiles(this.files)
}
const machine = () => new SimulatedHost({ files: { '/etc/hosts': usual } })

describe('the contract of a Score', () => {
  const checks = scoreConformance({
    factory: HostName,
    topology: machine,
    cases: [
      {
        name: 'in the usual table',
        scores: () => {
          const database = HostName({ name: 'db.internal', address: '10.0.0.5' })
          return [database, HostName({ name: 'sql.internal', address: database.out.address })]
        },
        updated: () => [HostName({ name: 'db.internal', address: 'fd00::5' })],
        occupied: ({ disk }) => disk.write('/etc/hosts', `${usual}10.0.0.9 db.internal # the old one\n`),
        tampers: {
          '': ({ disk }) => disk.write('/etc/hosts', `${usual}10.0.0.5\tdb.internal\n`),
          address: ({ disk }) =>
            disk.write('/etc/hosts', `${usual}10.6.6.6\tdb.internal\n10.0.0.5\tsql.internal\n`),
        },
      },
      {
        name: 'in a table of its own',
        scores: () => [HostName({ name: 'db.internal', address: '10.0.0.5', table: '/srv/hosts' })],
      },
    ],
    exempt: {
      name: "is the identity: under another name it is another line, and somebody else's",
      table: 'says where the line is; what may happen to it there is shown by the others',
    },
  })
  for (const check of checks) test(check.name, check.run)
})
// #endregion

test('many names enter one table side by side, and none is lost', async () => {
  const here = machine()
  const names = Array.from({ length: 50 }, (_, i) => `host-${i}.internal`)
  await conduct(
    here,
    names.map((name) => HostName({ name, address: '10.0.0.5' })),
  ).apply()
  for (const name of names) expect(here.disk.read('/etc/hosts')).toContain(`10.0.0.5\t${name}\n`)
})

test('a File at the path of the table is refused before anything runs', async () => {
  const project = conduct(machine(), [
    File({ path: '/etc/hosts', content: usual }),
    HostName({ name: 'db.internal', address: '10.0.0.5' }),
  ])
  await expect(project.plan()).rejects.toThrow(
    'HostName:db.internal claims db.internal in /etc/hosts, and so does',
  )
})

test('a name that shares its line with others is left to a person', async () => {
  const here = machine()
  here.disk.write('/etc/hosts', '10.0.0.9 db.internal mail.internal\n')
  const project = conduct(here, [HostName({ name: 'db.internal', address: '10.0.0.5', adopt: true })])
  const { results } = await project.apply()
  expect(results.map(({ error }) => error?.message)).toEqual([
    'db.internal shares its line with mail.internal: 10.0.0.9 db.internal mail.internal',
  ])
  expect(here.disk.read('/etc/hosts')).toBe('10.0.0.9 db.internal mail.internal\n')
})
