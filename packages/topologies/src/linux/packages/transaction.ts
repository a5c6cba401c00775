/**
 * One transaction of apt: everything that was asked for together. It is rehearsed first, and refused if it would do what
 * nobody asked for. What became of each package is told by looking, never by apt's exit status: one package whose script
 * fails makes every later transaction "fail" too, though all others are installed well.
 */
import type { HarmonyError } from '@harmony-iac/core'
import type { PackageState } from '@harmony-iac/core/capabilities'
import { type Changing, forgetGone, isAbsent, takeAlong } from './along.ts'
import { mostSaid, saidBy, steady } from './apt.ts'
import { isDone, type Job, progressOf, sharedOptions, together, wordsOf } from './jobs.ts'
import { LockWait, runLocked } from './locks.ts'
import { lookAt } from './look.ts'
import { objection, type Rehearsal, readRehearsal, same } from './rehearsal.ts'
import { failure, mayBeOutdated, namedGuilty, nameOf, wasInterrupted } from './trouble.ts'
import { unavailable } from './unavailable.ts'

type States = ReadonlyMap<Job, PackageState>

/** What a rehearsal has shown. */
interface Rehearsed {
  readonly would: Rehearsal
  readonly said: string
  /** Why it must not be done, or cannot be. */
  readonly error: HarmonyError | undefined
  /** Those that apt does not know by that name or version. */
  readonly unknown: readonly Job[]
}

/** Tried until each of its jobs is done or has its own error. */
export class Transaction {
  readonly errors = new Map<Job, HarmonyError>()
  readonly #on: Changing
  readonly #jobs: readonly Job[]
  readonly #options: readonly string[]
  readonly #env: Readonly<Record<string, string>>
  readonly #lock: LockWait
  #open: readonly Job[]
  #completed = false
  /** Broken ones whose version no archive has any more. */
  readonly #anyVersion = new Set<Job>()
  /** What reading the lists has said: it may explain why something is not known. */
  #lists = ''

  constructor(on: Changing, jobs: readonly Job[]) {
    this.#on = on
    this.#jobs = jobs
    this.#open = jobs
    this.#lock = new LockWait(on.apt, on.patience)
    this.#options = sharedOptions(jobs)
    // Many packages keep their configuration by ucf, which has a policy of its own.
    const replace = jobs.some((job) => job.type === 'install' && job.configuration === 'replace')
    this.#env = replace ? { UCF_FORCE_CONFFNEW: '1' } : { UCF_FORCE_CONFFOLD: '1' }
  }

  /** Whatever is still open has failed with this. */
  fail(error: HarmonyError): void {
    for (const job of this.#open) this.errors.set(job, error)
    this.#open = []
  }

  async run(): Promise<void> {
    // Each turn ends a job, or does what is done once.
    for (let states = await this.#settle(); this.#open.length > 0; states = await this.#settle())
      await this.#attempt(states)
    // What came along may be needed no more, also by a version that is put back.
    const left = this.#jobs.filter((job) => job.type === 'remove' || job.putBack)
    const purge = left.some((job) => job.type === 'remove' && job.purge)
    if (left.length > 0) await takeAlong(this.#on, { ...together(left), purge })
    await forgetGone(this.#on)
  }

  async #attempt(states: States): Promise<void> {
    const broken = this.#open.some((job) => states.get(job)?.status === 'broken')
    if (broken && (await this.#complete())) return
    const rehearsed = await this.#rehearse(this.#open, states)
    if (rehearsed.error) {
      if (mayBeOutdated(rehearsed.said) && (await this.#readLists())) return
      return await this.#dropGuilty(rehearsed, states)
    }
    await this.#note(states, rehearsed.would)
    const words = this.#words(this.#open, states)
    // What was rehearsed may no longer be true: what nobody asked to remove is not removed then either.
    const guard = this.#open.some(({ type }) => type === 'remove') ? [] : ['--no-remove']
    const argv = [
      'apt-get',
      ...steady,
      ...this.#options,
      ...guard,
      '--fix-broken',
      'install',
      ...words,
    ] as const
    const work = together(this.#open)
    const run = { signal: work.signal, env: this.#env, onOutput: this.#listener(), outputLimit: mostSaid }
    const result = await this.#on.apt.run(argv, run)
    const said = saidBy(result)
    // Whoever held the lock may have changed what was rehearsed: so it is rehearsed again.
    if (result.exitCode !== 0 && (await this.#lock.waited(said, work))) return
    if (result.exitCode === 0) {
      await this.#settle()
      this.fail(failure(`apt has nothing against ${this.#doing()}, and yet it is not so`, said))
      return
    }
    if (wasInterrupted(said) && (await this.#complete())) return
    if (mayBeOutdated(said) && (await this.#readLists())) return
    await this.#blame(said)
  }

  /** Looks, and closes what is as it was asked to be. */
  async #settle(): Promise<States> {
    const jobs = this.#open
    const names = jobs.map(({ name }) => name)
    const states = jobs.length > 0 ? await lookAt(this.#on.apt, names) : []
    this.#open = jobs.filter((job, i) => !isDone(job, states[i] as PackageState))
    return new Map(jobs.map((job, i) => [job, states[i] as PackageState]))
  }

  /** Once, has dpkg finish what it was killed in. */
  async #complete(): Promise<boolean> {
    if (this.#completed) return false
    this.#completed = true
    const work = together(this.#open)
    work.progress?.('completing what an interrupted change of packages has left')
    const force = this.#options.filter((option) => option.includes('--force-conf'))
    const flags = force.map((option) => option.slice(option.lastIndexOf('=') + 1))
    const argv = ['dpkg', ...flags, '--configure', '--pending'] as const
    // What it cannot complete is left as it is, and is told by looking.
    await runLocked(this.#on.apt, argv, this.#on.patience, { ...work, env: this.#env })
    return true
  }

  async #readLists(): Promise<boolean> {
    const said = await this.#on.readLists(together(this.#open))
    this.#lists = said ?? this.#lists
    return said !== undefined
  }

  /** Has apt say what it would do, and judges that. */
  async #rehearse(jobs: readonly Job[], states: States): Promise<Rehearsed> {
    const words = this.#words(jobs, states)
    const argv = [
      'apt-get',
      ...steady,
      ...this.#options,
      '--fix-broken',
      '--simulate',
      'install',
      ...words,
    ] as const
    const result = await this.#on.apt.run(argv, { ...together(jobs), outputLimit: mostSaid })
    const said = saidBy(result)
    const would = readRehearsal(said)
    const install = jobs.flatMap((job) =>
      job.type === 'install' ? [{ name: job.name, version: job.version }] : [],
    )
    const remove = jobs.filter(({ type }) => type === 'remove').map(({ name }) => name)
    const failed = result.exitCode === 0 ? undefined : failure(this.#doing(jobs), said)
    const guilty = failed ? namedGuilty(said) : undefined
    const appears = (name: string) => [...would.brings, ...would.changes].some((each) => same(name, each))
    const unknown = jobs.filter((job) => {
      if (guilty) return guilty.has(nameOf(job.name))
      // A name that only one package provides is replaced by that package without a word.
      return job.type === 'install' && isAbsent(states.get(job)) && !appears(job.name)
    })
    const virtual = failed === undefined && unknown[0]
    const error =
      objection(would, { install, remove }) ??
      failed ??
      (virtual ? await unavailable(this.#on.apt, virtual, this.#lists) : undefined)
    return { would, said, error, unknown }
  }

  /** A rehearsal that failed: whoever fails alone as well is guilty; the others go on without them. */
  async #dropGuilty(all: Rehearsed, states: States): Promise<void> {
    const open = this.#open
    const broken = all.unknown.filter(
      (job) => states.get(job)?.status === 'broken' && !this.#anyVersion.has(job),
    )
    for (const job of broken) this.#anyVersion.add(job)
    if (broken.length > 0) return
    for (const job of all.unknown) this.errors.set(job, await unavailable(this.#on.apt, job, this.#lists))
    if (all.unknown.length === 0 && open.length > 1)
      for (const job of open) {
        const { error, unknown } = await this.#rehearse([job], states)
        if (error)
          this.errors.set(job, unknown.length > 0 ? await unavailable(this.#on.apt, job, this.#lists) : error)
      }
    this.#open = open.filter((job) => !this.errors.has(job))
    // They fail only together, or there is one.
    if (this.#open.length === open.length && all.error) this.fail(all.error)
  }

  /** A run that failed: what is not there and is named in what it has said is guilty; the others are tried again. */
  async #blame(said: string): Promise<void> {
    await this.#settle()
    const open = this.#open
    const named = namedGuilty(said)
    for (const job of open)
      if (named.has(nameOf(job.name))) this.errors.set(job, failure(this.#doing([job]), said, job.name))
    this.#open = open.filter((job) => !this.errors.has(job))
    if (this.#open.length < open.length || open.length === 0) return
    if (named.size === 0 || open.length === 1) return this.fail(failure(this.#doing(), said))
    // Something failed that one of them needs: each by itself shows which.
    for (const job of open) {
      const alone = new Transaction(this.#on, [job])
      await alone.run()
      for (const [each, error] of alone.errors) this.errors.set(each, error)
    }
    this.#open = []
  }

  #words(jobs: readonly Job[], states: States): readonly string[] {
    const words = jobs.map((job) => wordsOf(job, states.get(job) as PackageState, this.#anyVersion.has(job)))
    const half = jobs.filter((job) => states.get(job)?.word === 'half-installed')
    // Unpacked by half, it is "already the newest version" to apt, and to dpkg too bad a state to be removed from.
    const [again, away] = [
      half.some(({ type }) => type === 'install'),
      half.some(({ type }) => type === 'remove'),
    ]
    const reinstall = again ? ['--reinstall'] : []
    const force = away ? ['--option=Dpkg::Options::=--force-remove-reinstreq'] : []
    return [...reinstall, ...force, ...words]
  }

  /** Notes on the host what is about to be installed, before it is. */
  async #note(states: States, { brings }: Rehearsal): Promise<void> {
    const { asked, along } = await this.#on.record.read()
    const installs = this.#open.filter((job) => job.type === 'install')
    const fresh = installs.filter((job) => !job.putBack && isAbsent(states.get(job)))
    const entries = fresh.map((job) => {
      const configuration = states.get(job)?.status === 'configuration'
      return [job.name, asked[job.name] ?? { configuration }] as const
    })
    const ours = installs.some((job) => !job.putBack)
    const others = brings.filter((each) => ours && !this.#jobs.some(({ name }) => same(name, each)))
    await this.#on.record.write({
      asked: { ...asked, ...Object.fromEntries(entries) },
      along: [...along, ...others],
    })
  }

  #doing(jobs: readonly Job[] = this.#open): string {
    const install = jobs.filter(({ type }) => type === 'install').map(({ name }) => name)
    const remove = jobs.filter(({ type }) => type === 'remove').map(({ name }) => name)
    const parts = [
      install.length > 0 && `installing ${install.join(', ')}`,
      remove.length > 0 && `removing ${remove.join(', ')}`,
    ]
    return parts.filter(Boolean).join(' and ')
  }

  /** Tells each job what is being done for it, and the first what is done for none of them. */
  #listener(): (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void {
    const decoder = new TextDecoder()
    const jobs = this.#open
    let rest = ''
    return (stream, chunk) => {
      if (stream === 'stderr') return
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const told = progressOf(line)
        if (!told) continue
        const job = jobs.find(({ name }) => same(name, told.name)) ?? jobs[0]
        job?.progress?.(told.message)
      }
    }
  }
}
