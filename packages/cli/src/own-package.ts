/** Where this package is: in a clone, whether its sources run or their bundle, or installed. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What a manifest says that somebody here reads. */
export interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly workspaces?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Our own package. */
export interface OwnPackage {
  readonly folder: string
  readonly manifest: Manifest
  /** The clone that it is part of, if it is. */
  readonly clone: { readonly folder: string; readonly manifest: Manifest } | undefined
}

/** Finds our own package from where this module is. */
export function ownPackage(): OwnPackage {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const manifest = readManifest(folder)
    if (manifest?.name === '@harmony-iac/cli') {
      const root = dirname(dirname(folder))
      const rootManifest = readManifest(root)
      // What is published has no sources.
      const isClone = rootManifest?.workspaces !== undefined && existsSync(join(folder, 'src'))
      return { folder, manifest, clone: isClone ? { folder: root, manifest: rootManifest } : undefined }
    }
    if (folder === dirname(folder)) throw new Error('the package of the command line is not complete')
  }
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  } catch {
    return undefined
  }
}
