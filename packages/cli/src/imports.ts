/**
 * Most of the time of a short command goes into finding and loading modules. Two things are therefore done for modules
 * of Harmony and of zod only, never for those of a project:
 *
 * - A relative import with its extension is where it says: Node need not search, follow links and read manifests.
 * - zod's index loads the sixty translations of its messages, one module each, for whoever asks for `z.locales.de()`.
 *   Here each is loaded when it is called. Should that index no longer look as expected, it is loaded as it is.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { lazily } from './translations.ts'

// In a clone `packages/`; in a published package the bundle has no relative imports worth mentioning.
const ours = new URL('../../', import.meta.url).href

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL } = context
    if (parentURL === undefined || !specifier.startsWith('.')) return next(specifier, context)
    const isZod = parentURL.includes('/node_modules/zod/v4/')
    if (isZod && specifier.endsWith('/locales/index.js'))
      return lazyTranslations(new URL(specifier, parentURL).href) ?? next(specifier, context)
    if (specifier.endsWith('.ts') && parentURL.startsWith(ours) && !parentURL.includes('/node_modules/'))
      return { url: new URL(specifier, parentURL).href, format: 'module-typescript', shortCircuit: true }
    if (isZod && specifier.endsWith('.js'))
      return { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true }
    return next(specifier, context)
  },
})

function lazyTranslations(url: string) {
  const source = lazily(readFileSync(new URL(url), 'utf8'), JSON.stringify(url))
  if (source === undefined) return undefined
  const encoded = Buffer.from(source).toString('base64')
  return { url: `data:text/javascript;base64,${encoded}`, format: 'module' as const, shortCircuit: true }
}
