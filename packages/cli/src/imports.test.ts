import { expect, test } from 'vitest'
import { lazily } from './translations.ts'

test('a translation is loaded when it is asked for, and works as before', async () => {
  const { spawnSync } = await import('node:child_process')
  const program = `
    await import(${JSON.stringify(new URL('./imports.ts', import.meta.url).href)})
    const { registerHooks } = await import('node:module')
    const loaded = []
    registerHooks({ resolve: (s, c, n) => { const r = n(s, c); if (r.url.includes('/locales/')) loaded.push(r.url.split('/').pop()); return r } })
    const z = await import('zod')
    const before = loaded.filter((name) => name === 'de.js').length
    z.config(z.locales.de())
    console.log(JSON.stringify([before, loaded.length < 5, z.string().safeParse(1).error.issues[0].message]))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual([0, true, expect.stringContaining('Ungültige Eingabe')])
})

test('an index that looks otherwise is left alone', () => {
  expect(lazily('export { default as de } from "./de.js";\n', '"file:///x/index.js"')).toContain(
    "export const de = (...given) => load('./de.js')",
  )
  expect(lazily('export * from "./de.js";\n', '"file:///x/index.js"')).toBeUndefined()
})
