/**
 * Claims say what a Score owns, uses what it stands on; from the two the planner derives order and conflicts. They are
 * typed data, never strings, because two kinds must mean the same thing by the same claim: `File` and `Symlink` at one
 * path exclude each other although neither knows the other.
 */

/** What a Score owns exclusively on a host, or stands on. */
export type Claim =
  /** One exact path of the file system. */
  | { readonly type: 'path'; readonly path: string }
  /** A path and everything below it. */
  | { readonly type: 'tree'; readonly path: string }
  /** A named part of a file that several Scores share (a line, a section, a key). */
  | { readonly type: 'part'; readonly path: string; readonly part: string }
  /** A name in a space of names: `unit nginx.service`, `tcp-port 8080`, `container player`, `package nginx`. */
  | { readonly type: 'name'; readonly space: string; readonly name: string }

/** Claims exactly this path. */
export const path = (at: string): Claim => ({ type: 'path', path: at })
/** Claims this path and everything below it. */
export const tree = (at: string): Claim => ({ type: 'tree', path: at })
/** Claims a named part of the file at this path. */
export const part = (at: string, name: string): Claim => ({ type: 'part', path: at, part: name })
/** Claims a name in a space of names of its own. */
export const name = (space: string, value: string): Claim => ({ type: 'name', space, name: value })

/** A claim as people read it. */
export function describeClaim(claim: Claim): string {
  switch (claim.type) {
    case 'path':
      return claim.path
    case 'tree':
      return `${claim.path} and everything below`
    case 'part':
      return `${claim.part} in ${claim.path}`
    case 'name':
      return `${claim.space} ${claim.name}`
  }
}

/** One string for each claim; equal claims have equal keys. */
export function claimKey(claim: Claim): string {
  switch (claim.type) {
    case 'path':
      return `path ${claim.path}`
    case 'tree':
      return `tree ${claim.path}`
    case 'part':
      return `part ${claim.path}\0${claim.part}`
    case 'name':
      return `name ${claim.space}\0${claim.name}`
  }
}

/** The folder that holds a path; `/` holds itself. */
export function folderOf(at: string): string {
  const cut = at.lastIndexOf('/')
  return cut <= 0 ? '/' : at.slice(0, cut)
}
