/** Tables of names as Linux has them: hosts(5), one address and its names on each line, `#` begins a comment. */
import { HarmonyError } from '@harmony-iac/core'
import type { FileSystem } from '@harmony-iac/core/capabilities'
import type { HostLine, NameTable } from './host-tables.ts'

// #region implementation
/** Tables of names in files: stands on the capability `files`, so it works wherever that does. */
export function hostsFiles(files: FileSystem): NameTable {
  const turns = new Map<string, Promise<void>>()

  /** One change after the other: Scores are converged side by side, and each must see what the one before has written. */
  async function edit(table: string, change: (text: string) => string): Promise<void> {
    const turn = (turns.get(table) ?? Promise.resolve()).then(async () => {
      const { text, folder } = await read(files, table)
      const changed = change(text)
      if (changed === text) return
      // To whoever looks a name up, an empty table and none are the same.
      if (changed === '') await files.remove(table)
      else await files.writeFile(table, Buffer.from(changed), { folder })
    })
    // A change that failed must not hold up the next one.
    turns.set(
      table,
      turn.catch(() => undefined),
    )
    await turn
  }

  return {
    find: async (table, name) => findLine((await read(files, table)).text, name),
    put: (table, name, text) => edit(table, (before) => putLine(before, name, text)),
    strike: (table, name) => edit(table, (before) => strikeName(before, name)),
    cleanUp: (table) => files.cleanUp(table),
  }
}
// #endregion

async function read(files: FileSystem, table: string): Promise<{ text: string; folder: string | undefined }> {
  const entry = await files.inspect(table, { content: true })
  if (entry.type === 'absent') return { text: '', folder: entry.folder }
  if (entry.type !== 'file' || !entry.content.bytes)
    throw new HarmonyError('refused', `${table} is no table of names: ${describe(entry.type)}`, {
      hint: 'name the file itself, of at most 64 KiB',
      data: { table },
    })
  return { text: Buffer.from(entry.content.bytes).toString(), folder: entry.folder }
}

function describe(type: string): string {
  return type === 'file' ? 'it is too large' : `there is a ${type}`
}

/** The first line with this name. */
export function findLine(text: string, name: string): HostLine | undefined {
  return text
    .split('\n')
    .map(parseLine)
    .find((line) => line?.names.includes(name))
}

/** The text with this line in place of the one that has the name, or at the end. */
export function putLine(text: string, name: string, line: string): string {
  const there = findLine(text, name)
  if (!there) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`
  const [other] = there.names.filter((each) => each !== name)
  if (other !== undefined)
    throw new HarmonyError('refused', `${name} shares its line with ${other}: ${there.text}`, {
      hint: `give ${name} a line of its own first`,
      data: { name, line: there.text },
    })
  return text
    .split('\n')
    .map((each) => (each === there.text ? line : each))
    .join('\n')
}

/** The text without this name. */
export function strikeName(text: string, name: string): string {
  const there = findLine(text, name)
  if (!there) return text
  const left = there.names.filter((each) => each !== name)
  return text
    .split('\n')
    .flatMap((each) => {
      if (each !== there.text) return [each]
      return left.length === 0 ? [] : [[there.address, ...left].join('\t')]
    })
    .join('\n')
}

function parseLine(text: string): HostLine | undefined {
  const [address, ...names] = text.replace(/#.*/s, '').trim().split(/\s+/)
  return address ? { address, names: names.map((name) => name.toLowerCase()), text } : undefined
}
