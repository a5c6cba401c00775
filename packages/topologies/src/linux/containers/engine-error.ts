/** What a container engine says when it refuses, in words that tell what to do. */
import { HarmonyError, isHarmonyError, toHarmonyError } from '@harmony-iac/core'

/** A refusal of the engine, as it says it. */
export class EngineError extends HarmonyError {
  readonly status: number
  constructor(status: number, message: string) {
    super('refused', message === '' ? `the engine answers with status ${status}` : message, {
      data: { status },
    })
    this.status = status
  }
}

/** Whether the engine says that there is no such thing. */
export function isGone(error: unknown): boolean {
  return error instanceof EngineError && error.status === 404
}

/** Whether the connection was closed by the other end, as one is that was kept for too long. */
export function isReset(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ECONNRESET'
}

/** Whether it is a refusal with these words. */
export function says(error: unknown, words: RegExp): boolean {
  return error instanceof EngineError && words.test(error.message)
}

interface Meaning {
  readonly words: RegExp
  readonly code: 'refused' | 'unreachable'
  readonly message: (found: RegExpExecArray) => string
  readonly hint: string
}

// The first that fits. The words have been the same since 20.10; where newer engines say it in another way, both stand here.
const meanings: readonly Meaning[] = [
  {
    words: /no space left on device/i,
    code: 'refused',
    message: () => 'the disk of the host is full',
    hint: 'free some space (docker system df shows what images and containers take), and apply again',
  },
  {
    words: /port is already allocated|address already in use|failed to bind host port/i,
    code: 'refused',
    message: (found) => `a port of the host is taken: ${found.input}`,
    hint: 'find out who listens there (ss -lntup), or publish another port',
  },
  {
    words: /exec: "([^"]*)": (?:executable file not found|stat [^:]*: no such file)/,
    code: 'refused',
    message: ([, program]) => `there is no program ${program} in the image`,
    hint: 'correct command or entrypoint: they are words, not a line for a shell',
  },
  {
    words: /exec: "([^"]*)": permission denied|exec ([^ ]+): permission denied/,
    code: 'refused',
    message: ([, a, b]) => `${a ?? b} in the image may not be executed`,
    hint: 'correct command or entrypoint, or the mode of that file in the image',
  },
  {
    words: /exec format error/,
    code: 'refused',
    message: () => 'the image is for another kind of processor',
    hint: 'use an image for the architecture of the host (harmony inventory HOST tells it)',
  },
  {
    words: /unable to find user ([^:]+): no matching entries/,
    code: 'refused',
    message: ([, user]) => `there is no user ${user} in the image`,
    hint: 'give a number as user, or one that the image has',
  },
  {
    words: /bind source path does not exist: (\S+)/,
    code: 'refused',
    message: ([, path]) => `${path} does not exist on the host`,
    hint: 'declare a Directory or File for it: it then comes before the container',
  },
  {
    words: /network (\S+) not found/i,
    code: 'refused',
    message: ([, network]) => `there is no network ${network}`,
    hint: 'declare it: ContainerNetwork({ name })',
  },
  {
    words: /plugin "([^"]+)" not found|error looking up (?:volume|network) plugin ([^: ]+)/i,
    code: 'refused',
    message: ([, a, b]) => `there is no driver ${a ?? b} on the host`,
    hint: 'correct driver, or install its plugin there (docker plugin ls shows what there is)',
  },
  {
    words: /Pool overlaps with other one on this address space|invalid pool request/i,
    code: 'refused',
    message: () => 'its subnet overlaps with that of another network',
    hint: 'choose another subnet, or leave it out and take what is free',
  },
  {
    words: /has active endpoints/,
    code: 'refused',
    message: () => 'containers are in it still',
    hint: 'remove them first, or take them out of the network',
  },
  {
    words: /volume is in use|volume is being used/i,
    code: 'refused',
    message: () => 'a container stands on it still',
    hint: 'remove that container first (docker ps --all --filter volume=NAME)',
  },
  {
    words: /unauthorized|authentication required|no basic auth credentials|incorrect username or password/i,
    code: 'refused',
    message: () => 'the registry does not accept the login',
    hint: 'give login: { username, password: secret(…) } to a ContainerImage of that name, and check both',
  },
  {
    words:
      /pull access denied|repository does not exist|manifest unknown|manifest for .* not found|(?:^|\s)not found$/i,
    code: 'refused',
    message: () => 'the registry has no such image, or shows it to nobody without a login',
    hint: 'check the name and the tag; for a private one declare a ContainerImage with login',
  },
  {
    words: /no such image/i,
    code: 'refused',
    message: () => 'the host has no such image',
    hint: 'check the name and the tag',
  },
  {
    words:
      /dial tcp|no such host|connection refused|i\/o timeout|TLS handshake|Client\.Timeout|server gave HTTP response to HTTPS client/i,
    code: 'unreachable',
    message: (found) => `the registry cannot be reached from the host: ${found.input}`,
    hint: 'check the network of the host and the name of the registry, or bring the image as an archive',
  },
  {
    words: /toomanyrequests|rate limit/i,
    code: 'refused',
    message: () => 'the registry gives no more images to this address for now',
    hint: 'wait, or log in: a ContainerImage takes a login',
  },
]

const brokenConnection = /^(?:ECONN|EPIPE|ETIMEDOUT|ENOTCONN|ERR_STREAM|HPE_|ERR_SOCKET)/

/** What the engine says, about something and with what to do. */
export function told(what: string, error: unknown): HarmonyError {
  if (!(error instanceof EngineError)) {
    if (isHarmonyError(error)) return error
    const { name, code } = error as NodeJS.ErrnoException
    if (name === 'TimeoutError')
      return new HarmonyError('timeout', `${what}: the container engine does not answer`, {
        hint: 'see what it does (journalctl -u docker), and apply again',
        cause: error,
      })
    if (name === 'AbortError')
      return new HarmonyError('interrupted', `${what} was interrupted`, { cause: error })
    if (code === undefined || !brokenConnection.test(code)) return toHarmonyError(error)
    return new HarmonyError('unreachable', `${what}: the container engine went away (${code})`, {
      hint: 'it may be restarting: apply again, what was begun is completed',
      cause: error,
    })
  }
  const data = { subject: what, status: error.status, engine: error.message }
  for (const { words, code, message, hint } of meanings) {
    const found = words.exec(error.message)
    if (found) return new HarmonyError(code, `${what}: ${message(found)}`, { hint, cause: error, data })
  }
  return new HarmonyError('refused', `${what}: ${error.message}`, {
    hint: 'the container engine refuses this; see what it says above',
    cause: error,
    data,
  })
}
