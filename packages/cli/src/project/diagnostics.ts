/** Reads what the compiler prints, and says what the mistake is that only Harmony's types make. */
import { resolve } from 'node:path'

/** One problem, as printed with `--pretty false`. */
export interface Diagnostic {
  /** Absolute; `undefined` for problems of the configuration. */
  readonly file: string | undefined
  readonly line: number
  readonly column: number
  readonly code: string
  /** As printed, continuation lines included. */
  readonly text: string
}

/** All problems that the compiler printed. */
export function readDiagnostics(output: string, cwd: string): readonly Diagnostic[] {
  const found: Diagnostic[] = []
  for (const line of output.split('\n')) {
    const [, file, row, column, code, text] =
      /^(?:(.+?)\((\d+),(\d+)\): )?error (TS\d+): (.*)$/.exec(line) ?? []
    const last = found.at(-1)
    if (code !== undefined && text !== undefined)
      found.push({
        file: file === undefined ? undefined : resolve(cwd, file),
        line: Number(row ?? 0),
        column: Number(column ?? 0),
        code,
        text,
      })
    else if (last && line.trim() !== '') found[found.length - 1] = { ...last, text: `${last.text}\n${line}` }
  }
  return found
}

/**
 * The kernel's mismatch in a sentence: `PiTopology does not offer loadBalancer, which Site needs`; `undefined` for
 * every other problem.
 */
export function explainMismatch(diagnostic: Diagnostic, source: string | undefined): string | undefined {
  const lines = diagnostic.text.split('\n').map((line) => line.trim())
  const other = explainOther(diagnostic, lines)
  if (other !== undefined) return other
  if (!lines.some((line) => /'Score</.test(line) || /'Scores</.test(line))) return undefined
  const last = lines.at(-1) ?? ''
  // After a spread the compiler takes all elements together and blames each: then the one that is named may be innocent.
  const together = /^Type '.* \| .*' is not assignable/.test(lines[0] ?? '')
  const kind = source === undefined ? undefined : kindAt(source, diagnostic.line, diagnostic.column)
  const needer = together
    ? 'a Score in this list (nest lists instead of spreading them)'
    : (kind ?? 'this Score')
  const one = /^Property '([^']+)' is (missing|optional) in type '(.+?)' but required in type '(.+)'\.$/.exec(
    last,
  )
  if (one) {
    const [, capability, how, topology] = one
    const offers = how === 'optional' ? 'may not offer' : 'does not offer'
    return `${nameOf(topology)} ${offers} ${capability}, which ${needer} needs${cureFor(topology, capability)}`
  }
  const several = /^Type '(.+?)' is missing the following properties from type '.+': (.+)$/.exec(last)
  if (several)
    return `${nameOf(several[1])} does not offer ${several[2]?.replace(/, ([^,]+)$/, ' and $1')}, which ${needer} needs`
  return undefined
}

function cureFor(topology: string | undefined, capability: string | undefined): string {
  return topology === 'LocalTopology' && capability === 'shell' ? ': new LocalTopology({ shell: true })' : ''
}

/** Mistakes that nearly everybody makes once, and whose message says something else. */
function explainOther({ code, text }: Diagnostic, lines: readonly string[]): string | undefined {
  if (code === 'TS2348' && text.includes('BlobPart'))
    return "File is the one of web browsers here: import { File } from '@harmony-iac/scores'"
  const missing = /^Cannot find (?:module|type definition file for) '([^']+)'/.exec(lines[0] ?? '')?.[1]
  if (missing?.startsWith('@harmony-iac/') || (code === 'TS2688' && missing === 'node'))
    return 'packages are missing: run npm install in the folder of the project'
  return undefined
}

/** A topology without a name of its own is described by what it has. */
function nameOf(type: string | undefined): string {
  return type === undefined || type.startsWith('{') ? 'what declares these children' : type
}

/** The kind that is made at this place: `Site({ … })` or, through a constant, `const site = Site({ … })`. */
function kindAt(source: string, line: number, column: number): string | undefined {
  const text = source.split('\n')[line - 1]?.slice(column - 1) ?? ''
  const called = /^(?:new\s+)?([A-Z][A-Za-z0-9]*)\s*\(/.exec(text)
  if (called) return called[1]
  const name = /^([A-Za-z_$][\w$]*)\s*(?:[,\])]|$)/.exec(text)?.[1]
  if (name !== undefined) return kindOfConstant(source, name)
  // An expression, such as `hosts.map((host) => Site({ host }))`: the only kind in that line is the one.
  const kinds = new Set([...text.matchAll(/\b([A-Z][A-Za-z0-9]*)\(\{/g)].map(([, kind]) => kind))
  return kinds.size === 1 ? [...kinds][0] : undefined
}

function kindOfConstant(source: string, name: string): string | undefined {
  const declaration = `\\b(?:const|let|var)\\s+${name.replaceAll('$', '\\$')}\\s*=\\s*([A-Z][A-Za-z0-9]*)\\s*\\(`
  return new RegExp(declaration).exec(source)?.[1]
}
