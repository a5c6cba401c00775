/** What a Linux host lacks for what: asked in a round trip or two, decided by `findings.ts`. Changes nothing there. */
import { HarmonyError, toHarmonyError } from '@harmony-iac/core/errors'
import type { Host } from '@harmony-iac/core/host'
import type { Facts, Finding } from './findings.ts'

/** What was found on one host. */
export interface Diagnosis {
  /** For people: `pi@kiosk.local`. */
  readonly host: string
  /** Who works there. */
  readonly user: string
  readonly uid: number
  /** One for each concern, in a fixed order. */
  readonly findings: readonly Finding[]
}

const timeoutMs = 20_000
const busSocket = '/run/dbus/system_bus_socket'
const answersWithinMs = 5000

/**
 * Examines a host: what each capability would lack there, and how much of it.
 * @throws HarmonyError `unreachable`, `host-key` and their like when it cannot be reached, `command-failed` when it does not
 *   answer within 20 s, `interrupted` when the signal aborts.
 * @example
 * const { findings } = await examine(ssh('pi@kiosk.local'))
 * const services = findings.find(({ concern }) => concern === 'services')
 */
export async function examine(
  host: Host,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Diagnosis> {
  // Loaded when used: a project that imports this package for its topologies must not wait for Node's HTTP client.
  const [{ askEngine }, { stateFolder }, { parseFacts }, { diagnose }, { diagnosisScript }] =
    await Promise.all([
      import('../inventory/engine.ts'),
      import('../home.ts'),
      import('./facts.ts'),
      import('./findings.ts'),
      import('./script.ts'),
    ])
  const facts = await host.facts()
  const started = Date.now()
  const [{ told, ended }, files, busRefusal, engine] = await Promise.all([
    ask(host, ['sh', '-c', diagnosisScript, 'sh', stateFolder(facts)], parseFacts, signal),
    filesOf(host),
    dials(host, busSocket),
    askEngine(host).then(
      (engineVersion) => ({ engineVersion, engineRefusal: undefined }),
      (error) => ({ engineVersion: undefined, engineRefusal: toHarmonyError(error).message }),
    ),
  ])
  const all: Facts = {
    ...told,
    ...engine,
    uid: facts.uid,
    files,
    busRefusal: told.bus ? busRefusal : undefined,
    clock:
      told.time === undefined
        ? undefined
        : {
            offsetSeconds: told.time - (started + ended) / 2000,
            // A second more, since it is told in whole ones.
            uncertaintySeconds: (ended - started) / 2000 + 1,
          },
  }
  return { host: host.name, user: told.user, uid: facts.uid, findings: diagnose(all) }
}

async function ask<T>(
  host: Host,
  argv: readonly [string, ...string[]],
  parse: (text: string) => T | undefined,
  signal: AbortSignal | undefined,
): Promise<{ readonly told: T; readonly ended: number }> {
  const result = await host.exec(argv, { timeoutMs, outputLimit: 1 << 20, signal, env: { LC_ALL: 'C' } })
  const ended = Date.now()
  const told = result.timedOut ? undefined : parse(Buffer.from(result.stdout).toString('utf8'))
  if (told) return { told, ended }
  const said = Buffer.from(result.stderr).toString('utf8').trim()
  throw new HarmonyError(
    'command-failed',
    result.timedOut
      ? `${host.name} did not tell what it has within ${timeoutMs / 1000} s`
      : `${host.name} did not tell what it has: ${said || 'the script was cut short'}`,
    { hint: 'a file system that does not answer, or an account without a shell, are what to look for' },
  )
}

/** Why files cannot be read; a host that cannot be reached at all is told by others. */
async function filesOf(host: Host): Promise<Facts['files']> {
  try {
    await host.files.lstat('/')
    return undefined
  } catch (error) {
    const { message: said, hint: advice } = toHarmonyError(error)
    return { said, advice }
  }
}

/** Why a socket does not take a connection. */
async function dials(host: Host, socket: string): Promise<string | undefined> {
  const dialling = host.dial(socket)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), answersWithinMs)
  })
  try {
    const stream = await Promise.race([dialling, late])
    if (stream === 'late') {
      void dialling.then((each) => each.destroy()).catch(() => {}) // nobody waits for it any more
      return `it does not answer within ${answersWithinMs / 1000} s`
    }
    stream.destroy()
    return undefined
  } catch (error) {
    return toHarmonyError(error).message
  } finally {
    clearTimeout(timer)
  }
}
