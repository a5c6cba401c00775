/**
 * A Debian in a folder whose only archive is one that the test makes: packages built by dpkg-deb, an index, and a source
 * line. Nothing is fetched from anywhere.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { FileSystem, PackageManager } from '@harmony-iac/core/capabilities'
import { Faults, mortalHost, type Snapshot, type Stage } from '@harmony-iac/core/testing'
import { linuxFiles } from '../src/linux/files.ts'
import { hostHome } from '../src/linux/home.ts'
import { linuxPackages } from '../src/linux/packages/packages.ts'
import { chrootHost, debianRoot } from './debian-root.ts'

/** A package to be built. */
export interface BuiltPackage {
  readonly name: string
  readonly version: string
  /** Lines of its control file: `Depends: kit-lib`. */
  readonly control?: readonly string[]
  /** By absolute path. */
  readonly files?: Readonly<Record<string, string>>
  readonly conffiles?: Readonly<Record<string, string>>
  /** Texts of `sh`. */
  readonly scripts?: Readonly<Partial<Record<'preinst' | 'postinst' | 'prerm' | 'postrm', string>>>
  /** Default `all`. */
  readonly architecture?: string
}

const state = '/var/lib/harmony'
const archive = '/srv/archive'
// What installing changes, and a test puts back.
const changed = ['var/lib/dpkg', 'var/lib/apt', 'var/lib/kit', 'etc', 'opt']

/** A Debian in a folder with an archive of its own. */
export interface DebianPackages {
  readonly root: string
  /** Puts packages into the archive, whose lists the host has not read yet. */
  offer(...packages: readonly BuiltPackage[]): void
  /** Takes the file of a package away, though the index names it. */
  withdraw(name: string, version: string): void
  /** Runs a program as root would behind Harmony's back; returns what it has printed. */
  run(...argv: readonly [string, ...string[]]): string
  /** What dpkg tells of a package: `ii 1.0`, empty when it knows nothing of it. */
  installed(name: string): string
  at(path: string): string
  reset(): void
  dispose(): void
}

/** Makes one; the archive has these packages and the host has read its lists. */
export async function debianPackages(...packages: readonly BuiltPackage[]): Promise<DebianPackages> {
  const debian = await debianRoot()
  const { root } = debian
  const at = (path: string) => join(root, path)
  const aside = mkdtempSync(join(tmpdir(), 'harmony-packages-'))
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' }
  const run = (...argv: readonly string[]) =>
    execFileSync('chroot', [root, ...argv], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const offer = (...some: readonly BuiltPackage[]) => {
    for (const each of some) build(each, at(archive))
    index(at(archive))
  }

  mkdirSync(at(archive), { recursive: true })
  mkdirSync(at('/opt'), { recursive: true })
  rmSync(at('/etc/apt/sources.list.d'), { recursive: true, force: true })
  mkdirSync(at('/etc/apt/sources.list.d'))
  writeFileSync(at('/etc/apt/sources.list'), `deb [trusted=yes] copy:${archive} ./\n`)
  rmSync(at('/var/lib/apt/lists'), { recursive: true, force: true })
  offer(...packages)
  run('apt-get', '-qq', 'update')
  const copies = [...changed, 'srv/archive'].filter((path) => existsSync(at(path)))
  for (const path of copies) copy(at(path), join(aside, path))

  return {
    root,
    at,
    offer,
    run,
    withdraw: (name, version) => rmSync(at(`${archive}/${name}_${version}_all.deb`)),
    installed(name) {
      try {
        const told = run('dpkg-query', '-W', '-f', '${db:Status-Abbrev}${Version}', name).trim()
        // Unknown, but named by another one.
        return told === 'un' ? '' : told
      } catch {
        return ''
      }
    },
    reset() {
      for (const path of new Set([...changed, ...copies])) rmSync(at(path), { recursive: true, force: true })
      for (const path of copies) copy(join(aside, path), at(path))
      for (const path of [state, '/var/cache/apt']) rmSync(at(path), { recursive: true, force: true })
      mkdirSync(at('/var/cache/apt/archives'), { recursive: true })
    },
    dispose() {
      rmSync(aside, { recursive: true, force: true })
      debian.dispose()
    },
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  execFileSync('cp', ['-a', '--reflink=auto', from, to])
}

function build(made: BuiltPackage, into: string): void {
  const { name, version, control = [], files = {}, conffiles = {}, scripts = {}, architecture = 'all' } = made
  const folder = mkdtempSync(join(tmpdir(), 'harmony-deb-'))
  try {
    const put = (path: string, text: string) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    chmodSync(folder, 0o755)
    put(
      'DEBIAN/control',
      [
        `Package: ${name}`,
        `Version: ${version}`,
        `Architecture: ${architecture}`,
        'Maintainer: Kit <kit@example.org>',
        'Description: for tests',
        ...control,
        '',
      ].join('\n'),
    )
    for (const [path, text] of Object.entries({ ...files, ...conffiles })) put(path, text)
    if (Object.keys(conffiles).length > 0) put('DEBIAN/conffiles', `${Object.keys(conffiles).join('\n')}\n`)
    for (const [script, text] of Object.entries(scripts)) {
      put(`DEBIAN/${script}`, `#!/bin/sh\n${text}\n`)
      chmodSync(join(folder, 'DEBIAN', script), 0o755)
    }
    const archived = join(into, `${name}_${version.replace(/^\d+:/, '')}_${architecture}.deb`)
    execFileSync('dpkg-deb', ['-Znone', '--root-owner-group', '--build', folder, archived], { stdio: 'pipe' })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function index(folder: string): void {
  const stanzas = readdirSync(folder)
    .filter((name) => name.endsWith('.deb'))
    .sort()
    .map((name) => {
      const path = join(folder, name)
      const bytes = readFileSync(path)
      const control = execFileSync('dpkg-deb', ['-f', path], { encoding: 'utf8' }).trimEnd()
      const sum = createHash('sha256').update(bytes).digest('hex')
      return `${control}\nFilename: ./${name}\nSize: ${bytes.length}\nSHA256: ${sum}\n`
    })
  writeFileSync(join(folder, 'Packages'), stanzas.join('\n'))
}

/** A Debian with packages as a stage of the conformance kit. */
export interface PackagesStage extends Stage {
  readonly files: FileSystem
  readonly packages: PackageManager
  /** Every program that was run on the host. */
  readonly ran: readonly (readonly string[])[]
}

/** The same folder, as it was in the beginning. */
export function packagesStage(debian: DebianPackages): PackagesStage {
  debian.reset()
  const faults = new Faults()
  const inside = chrootHost(debian.root)
  const host = mortalHost(inside, faults)
  const files = linuxFiles(host, { keepFolder: async () => `${state}/kept` })
  return {
    name: 'debian',
    faults,
    ran: inside.ran,
    files,
    packages: linuxPackages(host, { stateFolder: async () => state }),
    home: hostHome(host, { uid: 0, gid: 0, home: '/root', env: {} }),
    snapshot: () => snapshotOf(debian),
    residue: () => (existsSync(debian.at(state)) ? readdirSync(debian.at(state)) : []),
  }
}

/** Every package in its state and version, what came along by itself, and what packages of the kit have put there. */
function snapshotOf({ run, at }: DebianPackages): Snapshot {
  const lines: Record<string, string> = {}
  const listed = run('dpkg-query', '-W', '-f', '${binary:Package} ${db:Status-Abbrev}${Version}\\n')
  for (const line of listed.split('\n')) {
    const [name = '', ...rest] = line.split(' ')
    if (name !== '' && rest[0] !== 'un') lines[`package ${name}`] = rest.join(' ').trim()
  }
  for (const name of run('apt-mark', 'showauto').split('\n'))
    if (name) lines[`package ${name}`] += ' automatic'
  for (const folder of ['/opt', '/etc/kit'])
    if (existsSync(at(folder)))
      for (const path of readdirSync(at(folder), { recursive: true, encoding: 'utf8' }))
        lines[`${folder}/${path}`] = textAt(at(`${folder}/${path}`))
  return lines
}

function textAt(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return 'a folder'
  }
}
