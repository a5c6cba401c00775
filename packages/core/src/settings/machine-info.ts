/** The name for people in machine-info(5): lines of a shell's assignments, of which one is ours. */

const variable = 'PRETTY_HOSTNAME='

/** The line as it is written; `undefined` when there is none. The last one counts. */
export function prettyLine(text: string): string | undefined {
  return text.split('\n').findLast((line) => line.trimStart().startsWith(variable))
}

/** The name; empty when there is none. */
export function prettyName(text: string): string {
  const value = (prettyLine(text) ?? variable).trim().slice(variable.length)
  if (value.startsWith("'")) return value.slice(1, -1)
  return (value.startsWith('"') ? value.slice(1, -1) : value).replace(/\\(.)/g, '$1')
}

/** A line that says this name; `undefined` for none. */
export function lineOfPretty(name: string): string | undefined {
  return name === '' ? undefined : `${variable}"${name.replace(/["\\$`]/g, '\\$&')}"`
}

/** The same text with this line. */
export function withPrettyLine(text: string, line: string | undefined): string {
  const lines = text.split('\n')
  const at = lines.findLastIndex((each) => each.trimStart().startsWith(variable))
  if (line !== undefined) {
    if (at >= 0) return lines.with(at, line).join('\n')
    return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`
  }
  return lines.filter((each) => !each.trimStart().startsWith(variable)).join('\n')
}
