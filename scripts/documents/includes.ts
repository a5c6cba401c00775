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

/** The lines between `// #region NAME` and `// #endregion`, shifted to the left. */
function regionOf(source: string, region: string, path: string): string {
  const lines = source.split('\n')
  const start = lines.findIndex((line) => line.trim() === `// #region ${region}`)
  const end = lines.findIndex((line, i) => i > start && line.trim() === '// #endregion')
  if (start < 0 || end < 0) throw new Error(`${path} has no region ${region}`)
  const inner = lines.slice(start + 1, end)
  const indent = Math.min(...inner.filter((line) => line !== '').map((line) => line.search(/\S/)))
  return inner.map((line) => line.slice(indent)).join('\n')
}

function withoutMarkers(source: string): string {
  return source
    .split('\n')
    .filter((line) => !/^\s*\/\/ #(end)?region/.test(line))
    .join('\n')
}
