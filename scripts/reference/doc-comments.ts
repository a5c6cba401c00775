/** Reads doc comments from sources, so that the reference says what the editor says. */

/** A member of a declaration with what its comment says. */
export interface Documented {
  readonly name: string
  readonly text: string
}

/** The text of the comment above the declaration of `name`; examples keep their backticks. */
export function docOf(source: string, name: string): string {
  const found = source.match(
    new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*?)\\*/\\s*export (?:const|interface|type|class) ${name}\\b`),
  )
  if (!found?.[1]) throw new Error(`${name} has no doc comment`)
  return plain(found[1])
}

/** The members of an exported interface or object type, in order; those without a comment have an empty text. */
export function membersOf(source: string, declaration: string): readonly Documented[] {
  const start = source.search(new RegExp(`export (?:interface|type) ${declaration}\\b`))
  if (start < 0) return []
  const rest = source.slice(start)
  const end = rest.search(/\n\n(?=\S)/)
  const member = /(?:\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\s*)?readonly (\w+)\??: (.*)/g
  return [...rest.slice(0, end < 0 ? undefined : end).matchAll(member)]
    .filter(([, , , type]) => type !== 'never')
    .map(([, text = '', name = '']) => ({ name, text: plain(text) }))
}

/** Without stars, links and the lines for tools; paragraphs stay. */
function plain(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .replace(/\{@link (\w+)(?:\.\w+)?\}/g, '`$1`')
    .replaceAll('**\\/', '**/')
    .replace(/\n@\w+[\s\S]*$/, '')
    .trim()
}
