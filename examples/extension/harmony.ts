/** A project that uses the package: names in a table of its own, so that it can be tried without being root. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineProject, deploy } from '@harmony-iac/core'
import { Directory } from '@harmony-iac/scores'
import { HostName, NamedHost } from 'harmony-host-names'

const root = process.env.EXAMPLE_ROOT ?? join(tmpdir(), 'host-names')
const table = `${root}/hosts`

const database = HostName({ table, name: 'db.internal', address: '10.0.0.5' })
const others = { 'www.internal': '10.0.0.6', 'mail.internal': 'fd00::7' }

export default defineProject({
  name: 'host-names',
  deployments: [
    deploy(new NamedHost(), [
      Directory({ path: root }),
      database,
      Object.entries(others).map(([name, address]) => HostName({ table, name, address })),
      HostName({ table, name: 'sql.internal', address: database.out.address }),
    ]),
  ],
})
