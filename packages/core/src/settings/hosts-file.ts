/**
 * The host's own name in hosts(5). A host has to find itself without a network, or every sudo waits for a name server.
 * Debian gives it the address 127.0.1.1 (Debian Reference 5.1.1); others add it to a line of 127.0.0.1.
 */

interface Line {
  readonly address: string
  readonly names: readonly string[]
  readonly comment: string
}

const own = '127.0.1.1'

/** Whether any line has this name. */
export function namesHost(text: string, name: string): boolean {
  return text.split('\n').some((line) => parse(line)?.names.some((each) => isSame(each, name)))
}

/** The line by which the host finds itself, as it is written; `undefined` when there is none. */
export function ownLine(text: string, names: readonly string[]): string | undefined {
  return text.split('\n')[indexOfOwn(text.split('\n'), names)]
}

/** The same text with the host under its new name, instead of its old ones. */
export function withHostName(text: string, name: string, old: readonly string[]): string {
  if (namesHost(text, name)) return text
  const lines = text.split('\n')
  const at = indexOfOwn(lines, old)
  const line = parse(lines[at] ?? '')
  const forms = [name, ...(name.includes('.') ? [name.slice(0, name.indexOf('.'))] : [])]
  if (!line) return inserted(lines, `${own}\t${forms.join(' ')}`)
  const isOwn = line.address === own
  // Who was killed half-way knows the old name no more; the line does.
  const former = isOwn ? [...old, ...nameOf(line)] : old
  const renamed = line.names.map((each) => renamedTo(each, name, former))
  const rest = [...renamed, ...forms].filter((each) => !forms.includes(each))
  // Of several names the first is the canonical one; `localhost` stays that where it shares the line.
  const whole = renamed.find((each) => each.startsWith(`${name}.`))
  const names = isOwn ? [whole, ...forms, ...rest] : [...rest, ...forms]
  lines[at] =
    `${line.address}\t${unique(names.filter((each) => each !== undefined)).join(' ')}${line.comment}`
  return lines.join('\n')
}

/** The same text with the own line as it was; `undefined`: without one. */
export function withOwnLine(text: string, names: readonly string[], was: string | undefined): string {
  const lines = text.split('\n')
  if (was !== undefined && lines.includes(was)) return text
  const at = indexOfOwn(lines, names)
  if (at < 0) return was === undefined ? text : inserted(lines, was)
  if (was === undefined) lines.splice(at, 1)
  else lines[at] = was
  return lines.join('\n')
}

function indexOfOwn(lines: readonly string[], names: readonly string[]): number {
  const parsed = lines.map(parse)
  const at = parsed.findIndex((line) => line?.address === own)
  if (at >= 0) return at
  return parsed.findIndex(
    (line) => line?.address.startsWith('127.') && line.names.some((each) => names.some(isSameAs(each))),
  )
}

/** The host's name on a line of its own: with its domain it comes first, and without it again. */
function nameOf({ names: [first = '', ...others] }: Line): readonly string[] {
  const short = first.slice(0, first.indexOf('.'))
  return others.some(isSameAs(short)) ? [short] : [first]
}

/** Beside the line of `localhost`; what follows may be for IPv6. */
function inserted(lines: readonly string[], line: string): string {
  const at = lines.findLastIndex((each) => parse(each)?.address === '127.0.0.1')
  return lines.toSpliced(at + 1, 0, line).join('\n')
}

function parse(line: string): Line | undefined {
  const cut = line.indexOf('#')
  const [address, ...names] = (cut < 0 ? line : line.slice(0, cut)).trim().split(/\s+/)
  return address ? { address, names, comment: cut < 0 ? '' : ` ${line.slice(cut)}` } : undefined
}

/** With its domain, if it has one. */
function renamedTo(each: string, name: string, old: readonly string[]): string {
  for (const was of old) {
    if (isSame(each, was)) return name
    const domain = each.slice(was.length)
    if (isSame(each.slice(0, was.length), was) && domain.startsWith('.'))
      return name.includes('.') ? name : name + domain
  }
  return each
}

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
const isSameAs = (a: string) => (b: string) => isSame(a, b)
const unique = (names: readonly string[]): readonly string[] => [...new Set(names)]
