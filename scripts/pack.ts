/** `npm run pack`: makes the tarball of every package in `.pack`, and fails if publint finds fault with one. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { type Staged, stagePackages } from './publish/stage.ts'

const into = process.argv[2]
for (const staged of await stagePackages(into)) {
  const tarball = pack(staged)
  const { buffer } = new Uint8Array(readFileSync(tarball))
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true })
  for (const message of messages) console.error(`${staged.manifest.name}: ${formatMessage(message, pkg)}`)
  if (messages.length > 0) process.exitCode = 1
  console.log(tarball)
}

/** The path of the tarball, which `npm pack` puts beside the staged folder. */
function pack({ folder }: Staged): string {
  const into = join(folder, '..')
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', into]
  const output = execFileSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const { filename } = JSON.parse(output)[0]
  return join(into, filename)
}
