/**
 * A clone runs from its sources: 150 small files of Harmony and 60 of zod, and finding, reading and linking them is most
 * of what a short command costs. `npm ci` therefore also puts them together (`scripts/bundle.ts`). The bundle is what
 * runs for as long as every file that it was made from is as it was then; after an edit the sources run as ever.
 */
const { readFileSync, statSync } = process.getBuiltinModule('node:fs')
const { registerHooks } = process.getBuiltinModule('node:module')

/**
 * What `scripts/bundle.ts` leaves in `made.json`.
 * @typedef {object} Made
 * Paths are relative to the bundle, so that a clone may be moved.
 * @property {readonly (readonly [path: string, size: number, mtimeMs: number])[]} inputs
 * @property {Readonly<Record<string, string>>} entries Modules that projects import, by the path of their source.
 */

/**
 * The module that stands for `src/main.ts`, or `undefined` where there is no bundle of the sources as they are now.
 * From then on whoever imports one of our packages gets it from the bundle as well: there must not be two of them.
 * @param {URL} folder
 * @returns {string | undefined}
 */
export function useBundle(folder) {
  let made
  try {
    made = /** @type {Made} */ (JSON.parse(readFileSync(new URL('made.json', folder), 'utf8')))
  } catch {
    return undefined
  }
  const { inputs } = made
  const path = decodeURIComponent(folder.pathname)
  for (const [input, size, mtimeMs] of inputs) {
    const stats = statSync(path + input, { throwIfNoEntry: false })
    if (stats?.size !== size || stats.mtimeMs !== mtimeMs) return undefined
  }
  const entries = new Map(
    Object.entries(made.entries).map(([source, entry]) => [new URL(source, folder).href, entry]),
  )
  registerHooks({
    resolve(specifier, context, next) {
      const { parentURL } = context
      if (specifier.startsWith('.') && parentURL?.startsWith(folder.href))
        return { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true }
      const found = next(specifier, context)
      const entry = entries.get(found.url)
      return entry ? { url: new URL(entry, folder).href, format: 'module', shortCircuit: true } : found
    },
  })
  return new URL('main.js', folder).href
}
