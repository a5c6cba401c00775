/** A large project for the compiler: every kind, literals, lists built by map, references, in files of up to 1,000. */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Subject } from './measure.ts'
import { node, type World } from './world.ts'

/** Writes the project; the subject is the compiler on it, as `harmony check` starts it. */
export function typeCheckProject(world: World, scores: number): Subject {
  const files = Math.ceil(scores / 1000)
  const names = Array.from({ length: files }, (_, f) => `part${f}`)
  const folder = world.project(
    'types',
    () => `import { defineProject, deploy } from '@harmony-iac/core'
import { LocalTopology } from '@harmony-iac/topologies'
${names.map((name) => `import { ${name} } from './${name}.ts'`).join('\n')}
export default defineProject({ name: 'types', deployments: [deploy(new LocalTopology({ shell: true }), [${names.join(', ')}])] })
`,
  )
  for (let f = 0; f < files; f++)
    writeFileSync(join(folder, `part${f}.ts`), part(f, Math.min(1000, scores - f * 1000)))
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  return { argv: [node, tsc, '-p', folder, '--checkers', '2'], cwd: folder }
}

function part(f: number, count: number): string {
  const lines: string[] = []
  for (let i = 0; i < count; i++) lines.push(score(`${f}-${i}`, i))
  return `import { asset, secret, secretText } from '@harmony-iac/core'
import { Directory, File, ShellJob, StaticSite, Symlink } from '@harmony-iac/scores'
const config = File({ path: '/srv/config-${f}', content: 'x' })
export const part${f} = [
  config,
${lines.join('\n')}
  ['a', 'b'].map((name) => File({ path: \`/srv/map-${f}-\${name}\`, content: name })),
]
`
}

function score(name: string, i: number): string {
  switch (i % 8) {
    case 0:
      return `  Directory({ path: '/srv/d${name}', mode: '0750', owner: 'root', purge: ${i % 16 === 0} }),`
    case 1:
      return `  Symlink({ path: '/srv/l${name}', target: '/srv/d${name}' }),`
    case 2:
      return `  ShellJob({ name: 'j${name}', argv: ['true', '${name}'], timeout: 10, rerunOn: [config] }),`
    case 3:
      return `  StaticSite({ root: '/srv/s${name}', pages: { 'index.html': '<h1>${name}</h1>' } }),`
    case 4:
      return `  File({ path: '/srv/k${name}', content: secretText\`key=\${secret('k${i}')}\`, mode: '0600', after: [config] }),`
    case 5:
      return `  File({ path: '/srv/a${name}', content: asset('./a${i}'), protect: true }),`
    default:
      return `  File({ path: '/srv/f${name}', content: 'file ${name}', mode: '0644', owner: 'root', group: 0 }),`
  }
}
