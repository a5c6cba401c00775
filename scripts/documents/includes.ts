/** Code in pages is code of the repository: a block that names a file holds that file, or the region of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '../..')

/** What `path` or `path#region` stands for. */
export function included(reference: string): string {
  const [path = '', region] = reference.split('#')
  const source = readFileSync(join(repository, path), 'utf8').trimEnd()
  return region === undefined ? withoutMarkers(source) : regionOf(source, region, path)
}

/** The lines between `// #region NAME` and its `// #endregion` (with the name where regions nest), shifted to the left. */
export function regionOf(source: string, region: string, path: string): string {
  const lines = source.split('\n')
  const start = lines.findIndex((line) => line.trim() === `// #region ${region}`)
  const rest = lines.slice(start + 1)
  const named = rest.findIndex((line) => line.trim() === `// #endregion ${region}`)
  const end = named >= 0 ? named : rest.findIndex((line) => line.trim() === '// #endregion')
  if (start < 0 || end < 0) throw new Error(`${path} has no region ${region}`)
  const inner = withoutMarkers(rest.slice(0, end).join('\n')).split('\n')
  const indent = Math.min(...inner.filter((line) => line !== '').map((line) => line.search(/\S/)))
  return inner.map((line) => line.slice(indent)).join('\n')
}

function withoutMarkers(source: string): string {
  return source
    .split('\n')
    .filter((line) => !/^\s*\/\/ #(end)?region/.test(line))
    .join('\n')
}
