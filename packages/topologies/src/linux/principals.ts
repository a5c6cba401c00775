/**
 * Users and groups of a Linux host by name and number. `/etc/passwd` and `/etc/group` are read as files, which is fast
 * and needs nobody to answer; `getent` is asked only where the host has other sources (LDAP, sssd) or a name is not in
 * the files.
 */
import { HarmonyError, isHarmonyError } from '@harmony-iac/core'
import type { Principal } from '@harmony-iac/core/capabilities'
import type { FileStat, FoundFile, Host } from '@harmony-iac/core/host'
import { eachTurn } from './turn.ts'

/** Looks up users and groups. */
export interface Principals {
  /** Those that are in the host's files, by number; what is not there may still be {@link named}. */
  listed(database: Database): Promise<ReadonlyMap<number, Principal>>
  /** Number and name of a user or group; a number that has no name stays without. */
  named(database: Database, id: number): Promise<Principal>
  /**
   * The number of a user or group given by name or number. A name made of digits is tried as a name first, as chown(1)
   * does. @throws HarmonyError `no-such-user`.
   */
  numbered(database: Database, given: string | number): Promise<number>
}

/** The two databases, named as `getent` names them. */
export type Database = 'passwd' | 'group'

interface Table {
  readonly stat: FileStat | undefined
  readonly byId: Map<number, Principal>
  readonly byName: Map<string, number>
}

/** A name and its number. */
type Line = readonly [string, number]

const largest = 64 * 1024 * 1024

/** The users and groups of a host. Looks at most once per turn of the event loop whether the files have changed. */
export function linuxPrincipals(host: Host): Principals {
  const tables: Partial<Record<Database, Table>> = {}
  const current = eachTurn(async (database: Database): Promise<Table> => {
    const known = tables[database]
    if (known && sameFile(known.stat, await statBehind(host, `/etc/${database}`))) return known
    const read = await readBehind(host, `/etc/${database}`)
    const table = parse(read?.stat, read?.bytes)
    tables[database] = table
    return table
  })
  const otherSources = eachTurn(async (database: Database): Promise<boolean> => {
    const bytes = (await readBehind(host, '/etc/nsswitch.conf'))?.bytes
    return hasOtherSources(bytes ? Buffer.from(bytes).toString('utf8') : '', database)
  })

  const asking = new Map<string, Promise<Line | undefined>>()

  /** What `getent` says; a thousand who ask for the same at once start it once. */
  function getent(database: Database, key: string): Promise<Line | undefined> {
    const question = `${database} ${key}`
    const asked = asking.get(question) ?? runGetent(database, key).finally(() => asking.delete(question))
    asking.set(question, asked)
    return asked
  }

  /** One line, or `undefined` when it knows nothing; a host without `getent` knows nothing else. */
  async function runGetent(database: Database, key: string): Promise<Line | undefined> {
    try {
      const result = await host.exec(['getent', database, key], { timeoutMs: 10_000 })
      return result.exitCode === 0
        ? parseLine(Buffer.from(result.stdout).toString('utf8').split('\n')[0] ?? '')
        : undefined
    } catch (error) {
      if (isHarmonyError(error) && error.code === 'command-failed') return undefined
      throw error
    }
  }

  return {
    async listed(database) {
      return (await current(database)).byId
    },
    async named(database, id) {
      const table = await current(database)
      const known = table.byId.get(id)
      if (known) return known
      const line = (await otherSources(database)) ? await getent(database, String(id)) : undefined
      // Kept until the file changes, also when there is no name: asking is slow.
      const made = { id, name: line?.[0] }
      table.byId.set(id, made)
      return made
    },
    async numbered(database, given) {
      if (typeof given === 'number') return given
      const table = await current(database)
      const known = table.byName.get(given)
      if (known !== undefined) return known
      if (/^\d{1,10}$/.test(given)) return Number(given)
      // `--` is not understood by every getent; a name that looks like an option is no name anyway.
      const line = /^[^-:\s][^:\s]*$/.test(given) ? await getent(database, given) : undefined
      if (!line) throw unknown(database, given, host.name)
      table.byName.set(given, line[1])
      return line[1]
    },
  }
}

/** Whether nsswitch.conf names sources besides the files themselves. */
export function hasOtherSources(nsswitch: string, database: Database): boolean {
  const line = nsswitch.split('\n').find((each) => each.trimStart().startsWith(`${database}:`)) ?? ''
  const sources =
    line
      .replace(/#.*/, '')
      .slice(line.indexOf(':') + 1)
      .match(/[a-z]\w*(?![^[]*\])/g) ?? []
  return sources.some((source) => !['files', 'compat', 'systemd', 'db', 'altfiles'].includes(source))
}

function parse(stat: FileStat | undefined, bytes: Uint8Array | undefined): Table {
  const table: Table = { stat, byId: new Map(), byName: new Map() }
  for (const text of Buffer.from(bytes ?? [])
    .toString('utf8')
    .split('\n')) {
    const line = parseLine(text)
    if (!line) continue
    const [name, id] = line
    // As in the C library the first line wins.
    if (!table.byName.has(name)) table.byName.set(name, id)
    if (!table.byId.has(id)) table.byId.set(id, { id, name })
  }
  return table
}

function parseLine(line: string): Line | undefined {
  const [name, , id] = line.split(':')
  return name && id && /^\d+$/.test(id) && !name.startsWith('#') ? [name, Number(id)] : undefined
}

/** What stands at a path, or where a link there leads: some systems keep these files elsewhere. */
async function statBehind({ files }: Host, path: string): Promise<FileStat | undefined> {
  const stat = await files.lstat(path)
  return stat?.type === 'symlink' ? await files.lstat(await files.realpath(path)) : stat
}

async function readBehind({ files }: Host, path: string): Promise<FoundFile | undefined> {
  const read = await files.read(path, largest)
  return read?.stat.type === 'symlink' ? await files.read(await files.realpath(path), largest) : read
}

function sameFile(a: FileStat | undefined, b: FileStat | undefined): boolean {
  return (
    a?.inode === b?.inode && a?.ctimeNs === b?.ctimeNs && a?.mtimeNs === b?.mtimeNs && a?.size === b?.size
  )
}

function unknown(database: Database, name: string, host: string): HarmonyError {
  const what = database === 'passwd' ? 'user' : 'group'
  return new HarmonyError('no-such-user', `there is no ${what} "${name}" on ${host}`, {
    hint: `create it first (${database === 'passwd' ? 'useradd' : 'groupadd'} ${name}), or correct the name`,
    data: { database, name },
  })
}
