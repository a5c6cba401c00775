/** zod's sixty translations, each loaded when it is called. */

/**
 * The index of zod's translations with the same exports, each a function that loads its own; `undefined` if there is
 * anything else in the index. `url` is that of the index, as an expression.
 */
export function lazily(index: string, url: string): string | undefined {
  const names: string[] = []
  for (const line of index.split('\n')) {
    const found = line.match(/^export \{ default as (\w+) \} from "(\.\/[\w-]+\.js)";$/)
    if (found) names.push(`export const ${found[1]} = (...given) => load('${found[2]}').default(...given)`)
    else if (line.trim() !== '') return undefined
  }
  const load = `import { createRequire } from 'node:module'\nconst load = createRequire(${url})`
  return [load, ...names].join('\n')
}
