/** The smallest project that shows something: a folder, two files in it, and a link to one of them. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineProject, deploy } from '@harmony-iac/core'
import { Directory, File, Symlink } from '@harmony-iac/scores'
import { LocalTopology } from '@harmony-iac/topologies'

export const root = process.env.EXAMPLE_ROOT ?? join(tmpdir(), 'hello')

const here = new LocalTopology()
const config = File({ path: `${root}/site.json`, content: '{"port":8080}\n', mode: '0640' })

export const scores = [
  Directory({ path: root }),
  config,
  File({ path: `${root}/index.html`, content: '<h1>Hello</h1>\n' }),
  Symlink({ path: `${root}/current.json`, target: 'site.json' }),
]

export default defineProject({ name: 'hello', deployments: [deploy(here, scores)] })
