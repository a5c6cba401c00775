/** What is asked of the package manager, and how that is said to apt. Pure. */
import type {
  PackageInstallation,
  PackageRemoval,
  PackageState,
  PackageWork,
} from '@harmony-iac/core/capabilities'

/** One package to be changed. */
export type Job =
  | ({ readonly type: 'install'; readonly name: string } & PackageInstallation)
  | ({ readonly type: 'remove'; readonly name: string } & PackageRemoval)

/** One package to be marked, in the words of apt-mark. */
export interface Mark extends PackageWork {
  readonly name: string
  readonly as: 'hold' | 'unhold' | 'auto' | 'manual'
}

/** Whether a package is as a job wants it. */
export function isDone(job: Job, { status, version }: PackageState): boolean {
  if (job.type === 'install')
    return status === 'installed' && (job.version === undefined || job.version === version)
  return status === 'absent' || (status === 'configuration' && !job.purge)
}

/**
 * How apt is told. A broken one is completed in the version that it has, or apt would take a newer one; `anyVersion` when
 * no archive has that any more.
 */
export function wordsOf(job: Job, { status, version }: PackageState, anyVersion = false): string {
  if (job.type === 'remove') return `${job.name}-`
  const wanted = job.version ?? (status === 'broken' && !anyVersion ? version : undefined)
  return wanted === undefined ? job.name : `${job.name}=${wanted}`
}

/** What holds for a whole run of apt, so that only jobs that agree on it go together. */
function optionsOf(job: Job): readonly string[] {
  if (job.type === 'remove') return job.purge ? ['--purge'] : []
  // confdef alone asks where it has no answer, and answers "keep" where the new one is wanted.
  const conffiles =
    job.configuration === 'replace' ? ['--force-confnew'] : ['--force-confdef', '--force-confold']
  return [
    ...conffiles.map((force) => `--option=Dpkg::Options::=${force}`),
    ...(job.recommends === undefined ? [] : [`--option=APT::Install-Recommends=${job.recommends}`]),
    ...(job.version === undefined ? [] : ['--allow-downgrades']),
  ]
}

/** Puts jobs together that one run of apt can do: mostly all of them. */
export function groupsOf(jobs: readonly Job[]): readonly (readonly Job[])[] {
  const installs = new Map<string, Job[]>()
  const removals: Job[] = []
  const purges: Job[] = []
  for (const job of jobs) {
    if (job.type === 'remove') {
      if (job.purge) purges.push(job)
      else removals.push(job)
      continue
    }
    const key = optionsOf({ ...job, version: undefined }).join(' ')
    installs.set(key, [...(installs.get(key) ?? []), job])
  }
  // apt purges all that a run removes, or nothing. What is removed makes room for what is installed.
  const [first = [], ...others] = installs.values()
  if (removals.length === 0) return [[...purges, ...first], ...others].filter(isSome)
  return [purges, [...removals, ...first], ...others].filter(isSome)
}

const isSome = (jobs: readonly Job[]): boolean => jobs.length > 0

/** The options of a group. */
export function sharedOptions(jobs: readonly Job[]): readonly string[] {
  return [...new Set(jobs.flatMap(optionsOf))]
}

/** One signal and one voice for many: aborted when all of them are. */
export function together(works: readonly PackageWork[]): PackageWork {
  const signals = works.map(({ signal }) => signal)
  const [first] = signals
  const progress = works[0]?.progress
  if (signals.every((signal) => signal === first)) return { signal: first, progress }
  const all = new AbortController()
  let left = signals.length
  const end = () => {
    if (--left === 0) all.abort()
  }
  for (const signal of signals) {
    if (signal?.aborted) end()
    else signal?.addEventListener('abort', end, { once: true })
  }
  return { signal: all.signal, progress }
}

/** A line of apt or dpkg, for whom it is, in words for people. */
export function progressOf(line: string): { readonly name: string; readonly message: string } | undefined {
  const deed = /^(Unpacking|Setting up|Removing|Purging configuration files for) (\S+) \((\S+?)\)/.exec(line)
  if (deed) {
    const [, verb = '', name = '', version = ''] = deed
    return { name, message: `${verb[0]?.toLowerCase()}${verb.slice(1)} ${name} ${version}` }
  }
  // "Get:1 URL SUITE amd64 nginx amd64 1.22 [5 kB]", and of a flat archive "Get:1 URL ./ nginx 1.22 [5 kB]".
  const [, about = '', size = ''] = /^Get:\d+ \S+ \S+ (.*) \[([^\]]+)\]$/.exec(line) ?? []
  const words = about.split(' ')
  const name = words.at(words.length > 2 ? -3 : 0) ?? ''
  return words.length < 2 ? undefined : { name, message: `fetching ${name} ${words.at(-1)} (${size})` }
}
