/** The pages on the kinds of Score: from their schemas, their doc comments, and one Score of each. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { claim, kindOf } from '@harmony-iac/core'
import { type Documented, docOf, membersOf } from './doc-comments.ts'
import { code, page, table } from './markdown.ts'
import { published } from './published.ts'
import { samples } from './samples.ts'
import { type JsonSchema, typeText } from './types.ts'

const packages = join(import.meta.dirname, '../../packages')
const options = membersOf(readFileSync(join(packages, 'core/src/score.ts'), 'utf8'), 'ScoreOptions')

/** The pages by name, `README.md` among them. */
export function scorePages(): Readonly<Record<string, string>> {
  const kinds = Object.keys(samples).sort()
  const pages = kinds.map((kind) => [`${fileOf(kind)}.md`, kindPage(kind)] as const)
  return Object.fromEntries([...pages, ['README.md', indexPage(kinds)]])
}

function indexPage(kinds: readonly string[]): string {
  return page(
    '# Scores',
    'The kinds of Score in `@harmony-iac/scores`.',
    table(
      ['kind', 'needs', ''],
      kinds.map((kind) => [
        `[${kind}](${fileOf(kind)}.md)`,
        needsOf(kind),
        docOf(sourceOf(kind), kind)
          .split(/\n\n|(?<=\.)\s/)[0]
          ?.replaceAll('\n', ' ') ?? '',
      ]),
    ),
    '## Options of every kind',
    table(
      ['option', 'meaning'],
      options.map(({ name, text }) => [code(name), text]),
    ),
    '## Values that are known late',
    "A field whose type says so takes, in place of a plain value: `output`, the output of another Score\n(`database.out.address`, or text with outputs inside: ``text`…` ``); `secret`, a secret by name (`secret('wifi-psk')`, or\ntext with secrets inside: ``secretText`…` ``); `asset`, the content of a local file (`asset('./logo.png')`); `bytes`, bytes\ninline (`bytes(buffer)`).",
  )
}

function kindPage(kind: string): string {
  const source = sourceOf(kind)
  const definition = kindOf(kind)
  const sample = samples[kind]
  if (!definition || !sample) throw new Error(`there is no kind ${kind}`)
  const schema = published.kinds[kind] ?? {}
  const reactions = Object.keys(definition.reactions ?? {})
  const outputs = membersOf(source, `${kind}Outputs`)
  const status = membersOf(source, `${kind}Status`)
  return page(
    `# ${kind}`,
    docOf(source, kind),
    `Needs ${needsOf(kind)}. Version ${definition.version}. ${code(`harmony schema ${kind}`)} prints the JSON Schema.`,
    '## Fields',
    fieldTable(schema, [...membersOf(source, `${kind}Options`), ...membersOf(source, `${kind}Spec`)]),
    '## Options',
    `Those of [every kind](README.md#options-of-every-kind)${reactions.length > 0 ? `, and ${reactions.map((name) => `${code(name)} (a list of Scores: runs again when one of them has changed)`).join(', ')}` : ''}.`,
    outputs.length > 0 ? '## Outputs' : '',
    outputs.length > 0 ? table(['output', 'meaning'], meanings(outputs)) : '',
    status.length > 0 ? '## Status' : '',
    status.length > 0 ? table(['detail', 'meaning'], meanings(status)) : '',
    sample.score['~score'].children ? '## What it stands for' : '## What it owns, and stands on',
    `\`\`\`js\n${sample.written}\n\`\`\``,
    ...whatItDoes(kind),
  )
}

function fieldTable(
  { properties = {}, required = [], $defs }: JsonSchema,
  documented: readonly Documented[],
): string {
  return table(
    ['field', 'type', 'meaning'],
    Object.entries(properties).map(([name, field]) => {
      const text = documented.find((each) => each.name === name)?.text
      if (!text) throw new Error(`the field ${name} has no doc comment`)
      const optional = !required.includes(name) || field.default !== undefined
      return [code(`${name}${optional ? '?' : ''}`), code(typeText(field, $defs)), text]
    }),
  )
}

function meanings(members: readonly Documented[]): readonly (readonly string[])[] {
  return members.map(({ name, text }) => [code(name), text])
}

function whatItDoes(kind: string): readonly string[] {
  const score = samples[kind]?.score
  if (!score) return []
  const { children, definition } = score['~score']
  if (children) return [children.map((child) => `- ${code(child.id)}`).join('\n')]
  const list = (claims: readonly claim.Claim[] = []) =>
    [...new Set(claims.map((each) => code(claim.describeClaim(each))))].join(', ') || 'nothing'
  return [
    `- is \`${score.id}\`\n- owns ${list(definition.claims?.(score.spec))}\n- stands on ${list(definition.uses?.(score.spec))}`,
  ]
}

function needsOf(kind: string): string {
  return (kindOf(kind)?.needs ?? []).map(({ name }) => code(name)).join(', ')
}

function sourceOf(kind: string): string {
  return readFileSync(join(packages, 'scores/src', `${fileOf(kind)}.ts`), 'utf8')
}

/** The path is the index: `StaticSite` is in `static-site.ts`. */
function fileOf(kind: string): string {
  return kind.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()
}
