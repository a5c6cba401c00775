/**
 * What dpkg and apt know of packages: one question for any number of names. dpkg-query is asked, not
 * `/var/lib/dpkg/status` read: while a transaction runs, and after one that was killed, the truth is in that file and in
 * those of `updates/` together, and over a connection the answer about a few is smaller than the file.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { PackageState } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { type Apt, textOf } from './apt.ts'

const format =
  '${Package}\\t${Architecture}\\t${Version}\\t${db:Status-Want}\\t${db:Status-Status}\\t${db:Status-Eflag}\\n'
const marksFile = '/var/lib/apt/extended_states'
const architecturesFile = '/var/lib/dpkg/arch'
const largest = 64 * 1024 * 1024
// One argument each; beyond that it is shorter to be told about all of them.
const mostNames = 1000

/** One installed, or once installed, package. */
interface Entry {
  readonly name: string
  readonly architecture: string
  readonly version: string
  readonly want: string
  readonly status: string
  readonly flag: string
}

/** Looks at packages: answers in the order of the names. */
export async function lookAt(
  { host, run }: Apt,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<readonly PackageState[]> {
  const some = names.length > mostNames ? [] : new Set(names)
  const [answer, marks, architectures] = await Promise.all([
    run(['dpkg-query', '--show', `--showformat=${format}`, ...some], { signal, outputLimit: largest }),
    read(host, marksFile),
    read(host, architecturesFile),
  ])
  // 1: some are unknown to dpkg, which is an answer.
  if (answer.exitCode !== 0 && answer.exitCode !== 1)
    throw new HarmonyError('command-failed', `dpkg-query: ${textOf(answer.stderr).trim()}`, {
      hint: 'see what dpkg has to say on that host: dpkg --audit',
    })
  const entries = parseEntries(textOf(answer.stdout))
  const automatic = parseMarks(marks)
  const native = architectures.split('\n', 1)[0] ?? ''
  return names.map((name) => stateOf(name, entries, automatic, native))
}

/** What is installed of which name. */
function parseEntries(text: string): ReadonlyMap<string, readonly Entry[]> {
  const entries = new Map<string, Entry[]>()
  for (const line of text.split('\n')) {
    const [name = '', architecture = '', version = '', want = '', status = '', flag = ''] = line.split('\t')
    if (name === '') continue
    const entry = { name, architecture, version, want, status, flag }
    const others = entries.get(name)
    if (others) others.push(entry)
    else entries.set(name, [entry])
  }
  return entries
}

/** `name:architecture` of what came along with others. */
function parseMarks(text: string): ReadonlySet<string> {
  const marks = new Set<string>()
  for (const stanza of text.split(/\n\n+/)) {
    const field = (name: string) => new RegExp(`^${name}: *(.*)$`, 'm').exec(stanza)?.[1]?.trim()
    if (field('Auto-Installed') === '1') marks.add(`${field('Package')}:${field('Architecture')}`)
  }
  return marks
}

function stateOf(
  asked: string,
  entries: ReadonlyMap<string, readonly Entry[]>,
  marks: ReadonlySet<string>,
  native: string,
): PackageState {
  const [name = '', wanted] = asked.split(':', 2)
  const found = entries.get(name)?.find(({ architecture }) => {
    if (wanted === undefined) return architecture === native || architecture === 'all' || native === ''
    // What fits every architecture is filed under that of the host.
    return architecture === wanted || (architecture === 'all' && (wanted === native || native === ''))
  })
  if (!found)
    return {
      name: asked,
      status: 'absent',
      word: 'not-installed',
      version: undefined,
      held: false,
      automatic: false,
    }
  const { architecture, version, want, flag } = found
  const status = statusOf(found)
  const there = status !== 'absent' && status !== 'configuration'
  return {
    name: asked,
    status,
    word: flag === 'reinstreq' ? 'half-installed' : found.status,
    version: there && version !== '' ? version : undefined,
    held: want === 'hold',
    automatic:
      there &&
      (marks.has(`${name}:${architecture}`) || (architecture === 'all' && hasAny(marks, name, native))),
  }
}

/** apt files what fits every architecture under that of the host. */
function hasAny(marks: ReadonlySet<string>, name: string, native: string): boolean {
  if (native !== '') return marks.has(`${name}:${native}`)
  for (const mark of marks) if (mark.startsWith(`${name}:`)) return true
  return false
}

function statusOf({ status, flag }: Entry): PackageState['status'] {
  if (flag === 'reinstreq') return 'broken'
  if (status === 'not-installed') return 'absent'
  if (status === 'config-files') return 'configuration'
  // Others will call its trigger, or it will be called with the next change: it works meanwhile.
  if (status === 'installed' || status === 'triggers-pending' || status === 'triggers-awaited')
    return 'installed'
  return 'broken'
}

async function read(host: Host, path: string): Promise<string> {
  const found = await host.files.read(path, largest)
  return found?.bytes ? textOf(found.bytes) : ''
}
