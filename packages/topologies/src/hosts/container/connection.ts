/**
 * One container, from when it was looked up until it stops, freezes or goes. Programs are run by the engine's `exec`,
 * and look like sessions of a connection, so that what runs and locks over SSH does so here as well. The engine's
 * events say when it is over: a frozen container answers nobody.
 */
import type { Duplex } from 'node:stream'
import { HarmonyError, isHarmonyError } from '@harmony-iac/core'
import type Docker from 'dockerode'
import type { SessionChannel, Sessions } from '../sessions.ts'
import { ExecChannel, type ProgramEnd } from './channel.ts'
import { engineError } from './engine.ts'

/** Where a connection leads. */
export interface ContainerAt {
  readonly docker: Docker
  /** The container's name or id. */
  readonly container: string
  /** For people. */
  readonly name: string
  /** As `docker exec --user`; default that of the image. */
  readonly user?: string | undefined
  /**
   * How long a container may be paused before it counts as lost. In milliseconds; default 15 s: `docker commit` and
   * backups pause for moments.
   */
  readonly patienceMs?: number | undefined
}

// The engine takes any number at once, and each start costs it a few processes.
const parallelStarts = 8
const statusOfSignals = 128
/** Those that end programs, by number (signal(7)). */
const signals = 'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM'.split(' ')

/** A container that runs. */
export class ContainerConnection implements Sessions {
  /** It is one with what runs over it. */
  readonly connection = this
  readonly endpoint: { readonly name: string }
  readonly #at: ContainerAt
  readonly #container: Docker.Container
  readonly #startedAt: string
  readonly #lost = new AbortController()
  readonly #channels = new Set<ExecChannel>()
  #events: Duplex | undefined
  #frozen: NodeJS.Timeout | undefined
  #starting = 0
  readonly #waiting: (() => void)[] = []

  private constructor(at: ContainerAt, id: string, startedAt: string) {
    this.#at = at
    this.endpoint = { name: at.name }
    this.#container = at.docker.getContainer(id)
    this.#startedAt = startedAt
  }

  /** @throws HarmonyError `unreachable` when there is no such container, or it does not run. */
  static async open(at: ContainerAt): Promise<ContainerConnection> {
    try {
      const { Id, State } = await at.docker.getContainer(at.container).inspect()
      if (!State.Running || State.Paused || State.Restarting)
        throw state(at.name, State.Paused ? 'paused' : State.Restarting ? 'restarting' : 'stopped')
      const connection = new ContainerConnection(at, Id, State.StartedAt)
      await connection.#watch(Id)
      return connection
    } catch (error) {
      throw isHarmonyError(error) ? error : engineError(at.name, error)
    }
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  failure(): unknown {
    return this.#lost.signal.reason
  }

  async session<T>(argv: readonly [string, ...string[]], use: (channel: SessionChannel) => T): Promise<T> {
    while (this.#starting >= parallelStarts) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#starting++
    try {
      this.#lost.signal.throwIfAborted()
      return await this.#start(argv, use)
    } catch (error) {
      if (this.#lost.signal.aborted) throw this.failure()
      const failure = isHarmonyError(error) ? error : engineError(this.#at.name, error)
      this.#end(failure)
      throw failure
    } finally {
      this.#starting--
      this.#waiting.shift()?.()
    }
  }

  close(): void {
    this.#end(new HarmonyError('internal', `${this.#at.name} was closed by us`))
  }

  async #start<T>(argv: readonly [string, ...string[]], use: (channel: SessionChannel) => T): Promise<T> {
    const exec = await this.#unfrozen(() =>
      this.#container.exec({
        Cmd: [...argv],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        ...(this.#at.user === undefined ? {} : { User: this.#at.user }),
      }),
    )
    const raw: Duplex = await exec.start({ hijack: true, stdin: true })
    if (this.#lost.signal.aborted) raw.destroy()
    const channel = new ExecChannel(raw, () => this.#endOf(exec))
    this.#channels.add(channel)
    channel.once('close', () => this.#channels.delete(channel))
    return use(channel)
  }

  /** While the container is paused nothing can be started there; it may not be for long. */
  async #unfrozen<T>(request: () => Promise<T>): Promise<T> {
    for (;;)
      try {
        return await request()
      } catch (error) {
        if (this.#frozen === undefined || (error as { statusCode?: number }).statusCode !== 409) throw error
        await new Promise((resolve) => setTimeout(resolve, 100))
        this.#lost.signal.throwIfAborted()
      }
  }

  /** How a program ended. When its container did, that is what is told, to all. */
  async #endOf(exec: Docker.Exec): Promise<ProgramEnd> {
    if (this.#lost.signal.aborted) return undefined
    try {
      for (let wait = 1; ; wait = Math.min(wait * 2, 250)) {
        const { Running, ExitCode } = await exec.inspect()
        if (Running) {
          // The streams end a moment before the engine has noted the status; or the program closed them and goes on.
          await new Promise((resolve) => setTimeout(resolve, wait))
          if (this.#lost.signal.aborted) return undefined
          continue
        }
        // A program that was killed may have been killed with its container.
        if (ExitCode === null || ExitCode === statusOfSignals + 9) await this.#look()
        return this.#lost.signal.aborted || ExitCode === null ? undefined : endOf(ExitCode)
      }
    } catch (error) {
      this.#end(engineError(this.#at.name, error))
      return undefined
    }
  }

  /** Whether it is still the container that it was. It dies a moment after the programs in it, and is told last. */
  async #look(): Promise<void> {
    for (let attempt = 0; attempt < 5 && !this.#lost.signal.aborted; attempt++) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 50))
      const { State } = await this.#container.inspect()
      if (!State.Running) this.#end(state(this.#at.name, 'stopped'))
      else if (State.StartedAt !== this.#startedAt) this.#end(state(this.#at.name, 'restarted'))
    }
  }

  async #watch(id: string): Promise<void> {
    const filters = { container: [id], event: ['die', 'pause', 'unpause', 'destroy'] }
    const events = (await this.#at.docker.getEvents({ filters })) as Duplex
    this.#events = events
    let text = ''
    events.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) this.#hear(line)
    })
    events.on('error', () => {}) // its end follows
    events.once('close', () => this.#end(lostEngine(this.#at.name)))
    events.once('end', () => this.#end(lostEngine(this.#at.name)))
  }

  #hear(line: string): void {
    const action = actionOf(line)
    if (action === 'die' || action === 'destroy') this.#end(state(this.#at.name, 'stopped'))
    if (action === 'unpause') {
      clearTimeout(this.#frozen)
      this.#frozen = undefined
    }
    if (action === 'pause')
      this.#frozen = setTimeout(
        () => this.#end(state(this.#at.name, 'paused')),
        this.#at.patienceMs ?? 15_000,
      )
  }

  #end(reason: HarmonyError): void {
    if (this.#lost.signal.aborted) return
    this.#lost.abort(reason)
    clearTimeout(this.#frozen)
    this.#events?.destroy()
    for (const channel of this.#channels) channel.abandon()
    for (const go of this.#waiting.splice(0)) go()
  }
}

/**
 * The engine tells a signal as shells do, by a status above 128. A program that itself ends with such a status cannot be
 * told from one that was ended; shells have the same blind spot, and give the number that meaning.
 */
function endOf(status: number): ProgramEnd {
  const name = signals[status - statusOfSignals - 1]
  return name === undefined ? { code: status, signal: null } : { code: null, signal: `SIG${name}` }
}

/** What an event is about; what cannot be read is about nothing. */
function actionOf(line: string): unknown {
  try {
    return (JSON.parse(line) as { readonly Action?: unknown }).Action
  } catch {
    return undefined
  }
}

function state(name: string, now: 'stopped' | 'paused' | 'restarting' | 'restarted'): HarmonyError {
  const [why, hint] = {
    stopped: ['it is not running', 'start it: docker start; its log may say why it stopped: docker logs'],
    paused: ['it is paused', 'let it go on: docker unpause'],
    restarting: ['it keeps restarting', 'see why: docker logs'],
    restarted: ['it was started again meanwhile', 'apply again to finish what was begun'],
  }[now] as [string, string]
  return new HarmonyError('unreachable', `${name} cannot be reached: ${why}`, { hint, data: { state: now } })
}

function lostEngine(name: string): HarmonyError {
  return new HarmonyError('unreachable', `the connection to the Docker Engine of ${name} was lost`, {
    hint: 'see that the engine runs (systemctl status docker); apply again to finish what was begun',
  })
}
