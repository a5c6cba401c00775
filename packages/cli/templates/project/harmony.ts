import { join } from 'node:path'
import { defineProject, deploy } from '@harmony-iac/core'
import { Directory, File } from '@harmony-iac/scores'
import { LocalTopology } from '@harmony-iac/topologies'

/** Where it goes: for a start, beside this file. */
export const root = join(import.meta.dirname, 'public')

/** What is wanted there. */
export const scores = [
  Directory({ path: root }),
  File({ path: `${root}/index.html`, content: '<h1>{{name}}</h1>\n' }),
  File({ path: `${root}/site.json`, content: '{ "port": 8080 }\n', mode: '0640' }),
]

/** This machine. It offers files; with `{ shell: true }` it would offer to run programs, too. */
const here = new LocalTopology()

export default defineProject({ name: '{{name}}', deployments: [deploy(here, scores)] })
