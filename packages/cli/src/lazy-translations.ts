/**
 * zod's index loads the sixty translations of its messages, one module each, for whoever asks for `z.locales.de()`;
 * that is a tenth of the start-up of a command that hardly anybody needs. Here each is loaded when it is called.
 * Should zod's index no longer look as expected, it is loaded as it is.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.endsWith('/locales/index.js') || !context.parentURL?.includes('/zod/')) return next(specifier, context)
    const resolved = next(specifier, context)
    const source = lazily(readFileSync(new URL(resolved.url), 'utf8'), resolved.url)
    if (source === undefined) return resolved
    return { ...resolved, url: `data:text/javascript,${encodeURIComponent(source)}`, format: 'module' }
  },
})

/** The same exports, each a function that loads its translation; `undefined` if there is anything else. */
export function lazily(index: string, url: string): string | undefined {
  const names: string[] = []
  for (const line of index.split('\n')) {
    const found = line.match(/^export \{ default as (\w+) \} from "(\.\/[\w-]+\.js)";$/)
    if (found) names.push(`export const ${found[1]} = (...given) => load('${found[2]}').default(...given)`)
    else if (line.trim() !== '') return undefined
  }
  const load = `import { createRequire } from 'node:module'\nconst load = createRequire(${JSON.stringify(url)})`
  return [load, ...names].join('\n')
}
