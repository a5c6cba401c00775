/** The page on what travels: its text is written by hand, its tables and schemas come from the code. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as wire from '@harmony-iac/mesh/bundle'
import { requestType } from '@harmony-iac/mesh/keys'
import { membersOf } from './doc-comments.ts'
import { code, page, table } from './markdown.ts'
import { published } from './published.ts'
import { type JsonSchema, typeText } from './types.ts'

const mesh = join(import.meta.dirname, '../../packages/mesh')
const read = (path: string) => readFileSync(join(mesh, path), 'utf8')

/** The page. */
export function wirePage(): string {
  const { bundle, envelope, manifest } = published.wire
  if (!bundle || !envelope || !manifest) throw new Error('a document has no schema')
  const within = (name: string) => entryOf(bundle.properties?.[name])
  const example: { readonly [key: string]: unknown } = JSON.parse(read('fixtures/wire-1/bundle.json'))
  const { agent, generation, lineage, project } = example
  const values: Readonly<Record<string, string>> = {
    ...numbers(),
    bundleType: wire.bundleType,
    requestType,
    keys: read('fixtures/wire-1/keys.txt').trim(),
    about: JSON.stringify({ agent, generation, lineage, name: 'wifi', project }),
    Envelope: members(envelope, 'src/bundle/envelope.ts', 'Envelope'),
    Bundle: members(bundle, 'src/bundle/bundle.ts', 'Bundle'),
    BundledAsset: members(within('assets'), 'src/bundle/bundle.ts', 'BundledAsset'),
    SealedBox: members(within('sealed'), 'src/keys/sealed-box.ts', 'SealedBox'),
    Manifest: members(manifest, 'src/bundle/chunks.ts', 'ContentId', 'Manifest'),
    schemas: Object.entries(published.wire)
      .map(([name, schema]) => `### ${name}\n\n\`\`\`json\n${JSON.stringify(schema, null, 2)}\n\`\`\``)
      .join('\n\n'),
  }
  const text = readFileSync(join(import.meta.dirname, 'wire.md'), 'utf8').trimEnd()
  return page(
    text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
      const value = values[name]
      if (value === undefined) throw new Error(`scripts/reference/wire.md asks for ${name}`)
      return value
    }),
  )
}

function numbers(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(wire).flatMap(([name, value]) =>
      typeof value === 'number' ? [[name, value.toLocaleString('en')]] : [],
    ),
  )
}

function entryOf(map: JsonSchema | undefined): JsonSchema {
  if (typeof map?.additionalProperties === 'object') return map.additionalProperties
  throw new Error('this is no map')
}

function members(
  { properties = {}, required = [] }: JsonSchema,
  source: string,
  ...declarations: readonly string[]
): string {
  const documented = declarations.flatMap((declaration) => membersOf(read(source), declaration))
  return table(
    ['member', 'type', 'meaning'],
    Object.entries(properties).map(([name, schema]) => {
      const text = documented.find((each) => each.name === name)?.text
      if (!text) throw new Error(`the member ${name} of ${declarations.join(' or ')} has no doc comment`)
      // What is long has a table of its own.
      const type = typeText(schema)
      const short = type.length > 80 ? (schema.items ? 'object[]' : '{ [name]: object }') : type
      return [code(`${name}${required.includes(name) ? '' : '?'}`), code(short), text]
    }),
  )
}
