/** JSON Schemas as short types, the way a person would write them. */

/** What of JSON Schema our schemas use. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
}

// Values that are known late stand in a spec as objects with a mark; nobody writes them by hand.
const late: Readonly<Record<string, string>> = {
  $ref: 'output',
  $secret: 'secret',
  $asset: 'asset',
  $bytes: 'bytes',
}

/** A type in one line. `defs` are those of the document that the schema is in. */
export function typeText(schema: JsonSchema, defs: JsonSchema['$defs'] = {}): string {
  const branches = schema.anyOf ?? schema.oneOf
  if (branches) return [...new Set(branches.map((branch) => typeText(branch, defs)))].join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.items) return `${grouped(schema.items, typeText(schema.items, defs))}[]`
  if (schema.properties) return objectText(schema, defs)
  if (typeof schema.additionalProperties === 'object')
    return `{ [name]: ${typeText(schema.additionalProperties, defs)} }`
  if (schema.$ref !== undefined) return markOf(defs[schema.$ref.replace('#/$defs/', '')]) ?? 'JSON'
  if (schema.type === undefined) return 'JSON'
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type
  return types.map((type) => (type === 'integer' ? 'number' : type)).join(' | ')
}

function objectText(schema: JsonSchema, defs: JsonSchema['$defs']): string {
  const { properties = {}, required = [] } = schema
  const mark = markOf(schema)
  if (mark !== undefined) return mark
  const fields = Object.entries(properties).map(
    ([name, field]) => `${name}${required.includes(name) ? '' : '?'}: ${typeText(field, defs)}`,
  )
  return `{ ${fields.join(', ')} }`
}

function markOf(schema: JsonSchema | undefined): string | undefined {
  return Object.keys(schema?.properties ?? {})
    .map((name) => late[name])
    .find((text) => text !== undefined)
}

function grouped(schema: JsonSchema, text: string): string {
  return schema.properties || !text.includes(' | ') ? text : `(${text})`
}
