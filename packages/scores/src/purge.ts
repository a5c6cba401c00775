/** What a purge may delete: everything listed below a directory but mount points, what is excluded and what these stand in. */
import { claim, type Surplus } from '@harmony-iac/core'
import type { ListedEntry } from '@harmony-iac/core/capabilities'

/** Lists what is to go. `listed` has parents before children, as `FileSystem.list` gives them. */
export async function surplusOf(
  folder: string,
  listed: readonly ListedEntry[],
  exclude: readonly string[],
): Promise<readonly Surplus[]> {
  const kept = new Set<string>()
  if (exclude.length > 0 && listed.length > 0) await protectExcluded(exclude, folder, listed, kept)
  for (const { path, mount } of listed) if (mount) protect(path, folder, kept)
  const surplus: Surplus[] = []
  for (const { path, fingerprint } of listed)
    if (!kept.has(path)) surplus.push({ claim: claim.path(path), fingerprint })
  return surplus
}

/** The paths of surplus in the order in which they can go: what is in a directory before the directory. */
export function deepestFirst(surplus: readonly Surplus[]): readonly (Surplus & { readonly path: string })[] {
  return surplus
    .flatMap((each) => (each.claim.type === 'path' ? [{ ...each, path: each.claim.path }] : []))
    .sort((a, b) => depth(b.path) - depth(a.path) || (a.path < b.path ? -1 : 1))
}

/** Protects paths that match a pattern, what is below them, and the folders that they are in. */
async function protectExcluded(
  patterns: readonly string[],
  folder: string,
  listed: readonly ListedEntry[],
  kept: Set<string>,
): Promise<void> {
  // Loaded only here: a project without exclusions need not wait for it.
  const { default: picomatch } = await import('picomatch')
  const matches = picomatch([...patterns], { dot: true, nonegate: true, noextglob: true })
  const whole = new Set<string>()
  for (const { path } of listed) {
    const parent = claim.folderOf(path)
    if (!whole.has(parent) && !matches(path.slice(folder.length + 1))) continue
    whole.add(path)
    protect(path, folder, kept)
  }
}

function protect(path: string, folder: string, kept: Set<string>): void {
  for (let at = path; at !== folder && !kept.has(at); at = claim.folderOf(at)) kept.add(at)
}

function depth(path: string): number {
  return path.split('/').length
}
