/**
 * An image for containers of tests: busybox, one static program, with links for what it can do. Made here, since no
 * registry may be reachable; it starts in a moment, and its httpd is a workload.
 */
import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { dockerEngine, engine } from './engine.ts'
import { hasCommand } from './has-command.ts'
import type { Part } from './require-part.ts'

const run = promisify(execFile)
const links = [
  'sh',
  'httpd',
  'sleep',
  'true',
  'false',
  'wget',
  'cat',
  'echo',
  'id',
  'kill',
  'ls',
  'env',
  'touch',
]

/** What containers of tests need, for `describeWith`. */
export const containerImages: Part = {
  name: 'a Docker Engine and busybox',
  get: `${dockerEngine.get}; apt-get install busybox-static`,
  present: dockerEngine.present && ['busybox', 'tar'].every(hasCommand),
}

/** A root file system with busybox, as a tar; the caller removes the folder that it is in. */
export async function busyboxRoot(content = ''): Promise<{ readonly folder: string; readonly tar: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'harmony-busybox-'))
  const root = join(folder, 'root')
  await mkdir(join(root, 'bin'), { recursive: true })
  await mkdir(join(root, 'www'))
  await mkdir(join(root, 'tmp'))
  const { stdout } = await run('sh', ['-c', 'command -v busybox'])
  await cp(stdout.trim(), join(root, 'bin/busybox'))
  for (const name of links) await symlink('busybox', join(root, 'bin', name))
  await writeFile(join(root, 'www/index.html'), content)
  const tar = join(folder, 'root.tar')
  await run('tar', ['-C', root, '--owner=0', '--group=0', '-cf', tar, '.'])
  return { folder, tar }
}

/** Imports it under a name of the caller's, who removes it. `content` makes another image of it. */
export async function importBusybox(
  reference: string,
  { content = '', changes = [] }: { readonly content?: string; readonly changes?: readonly string[] } = {},
): Promise<void> {
  const docker = await engine()
  const [repo = '', tag = 'latest'] = reference.split(':')
  const { folder, tar } = await busyboxRoot(content)
  try {
    const all = ['ENV PATH=/bin', 'CMD ["sleep","100000"]', ...changes]
    await text(await docker.importImage(createReadStream(tar), { repo, tag, changes: all }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
