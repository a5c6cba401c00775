/** Reads what `grep -H '' PATH…` prints: each line of each file, after the file's path and a colon. */

/** The text of each file that has any. Names of interfaces may hold colons, so a path is one that was asked for. */
export function linesByPath(printed: string, paths: readonly string[]): ReadonlyMap<string, string> {
  const asked = new Set(paths)
  const found = new Map<string, string>()
  for (const line of printed.split('\n')) {
    const cut = pathEnd(line, asked)
    if (cut < 0) continue
    const path = line.slice(0, cut)
    const text = line.slice(cut + 1)
    const before = found.get(path)
    found.set(path, before === undefined ? text : `${before}\n${text}`)
  }
  return found
}

function pathEnd(line: string, asked: ReadonlySet<string>): number {
  for (let at = line.indexOf(':'); at >= 0; at = line.indexOf(':', at + 1))
    if (asked.has(line.slice(0, at))) return at
  return -1
}
