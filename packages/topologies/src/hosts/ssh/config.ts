/**
 * What holds for one destination: its own words first, then ~/.ssh/config, then /etc/ssh/ssh_config, as OpenSSH reads
 * them, so that a host is reached by the names and ways that its user is used to. Where we cannot do what is written, and
 * that would change where we connect or whom we trust, it is an error that names the line.
 */
import { isHarmonyError } from '@harmony-iac/core'
import { expandTokens, type PathContext, type Tokens } from './config-expand.ts'
import { atPlace, type Directive, type Place } from './config-lines.ts'
import { type Options, oneOfIf, oneWord, oneWordIf } from './config-options.ts'
import { readOptions } from './config-read.ts'
import {
  algorithmsOf,
  hostKeyOf,
  keepAliveOf,
  localTokens,
  loginOf,
  portOf,
  timeoutOf,
  userOf,
} from './config-values.ts'
import { type Destination, parseDestination } from './destination.ts'

/** Who asks, and where from. */
export interface SshContext {
  /** The home folder of the local user. */
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** The name of the local user; also the name on the host unless another one is given. */
  readonly user: string
  /** As `ssh -F`: read instead of both usual files. `none` reads nothing. */
  readonly configFile?: string | undefined
  /**
   * In the place of this machine's files: the text, or `undefined` when nothing is there. Only a pattern of `Include`
   * still looks into this machine's folders for names.
   */
  readonly readFile?: ((path: string) => string | undefined) | undefined
}

/** What holds for one destination. */
export interface SshSettings {
  /** As written, without user and port: `kiosk`. */
  readonly name: string
  /** Where to connect: a name in lower case, or an address. */
  readonly host: string
  readonly port: number
  readonly user: string
  /** The last host on the way, with its own settings, and so on; `undefined` when the way is direct. */
  readonly via: SshSettings | undefined
  readonly addressFamily: 'any' | 'inet' | 'inet6'
  /** The local address to connect from. */
  readonly bindAddress: string | undefined
  /** For connecting and shaking hands; `undefined` is the system's own limit. */
  readonly connectTimeoutMs: number | undefined
  /** `intervalMs` is 0 when nothing is to be sent. */
  readonly keepAlive: { readonly intervalMs: number; readonly countMax: number }
  /** What is known of the host's key, and what to do when nothing is. */
  readonly hostKey: HostKeySettings
  readonly login: LoginSettings
  /** As written (`+ssh-rsa`, a list, …) where something is: for hosts that are old, or must not use what is. */
  readonly algorithms: Readonly<Partial<Record<'hostKey' | 'kex' | 'cipher' | 'mac', string>>>
}

/** How the host proves who it is. */
export interface HostKeySettings {
  /** The name in known_hosts instead of host and port. */
  readonly alias: string | undefined
  /** In order; a new key is added to the first. */
  readonly userFiles: readonly string[]
  readonly globalFiles: readonly string[]
  readonly strict: 'yes' | 'ask' | 'accept-new' | 'no'
  /** Whether names are hashed when a key is added. */
  readonly hash: boolean
  /** Whether the key has to fit what is known of the address, too. */
  readonly checkAddress: boolean
}

/** How we prove who we are. */
export interface LoginSettings {
  /** The socket of the agent, if one is to be asked. */
  readonly agent: string | undefined
  /** Paths in order, or `default` when none are configured. */
  readonly identityFiles: readonly string[] | 'default'
  /** Whether of the agent's keys only those in `identityFiles` may be offered. */
  readonly identitiesOnly: boolean
  readonly publicKey: boolean
  readonly password: boolean
  readonly keyboardInteractive: boolean
  /** Nobody may be asked anything. */
  readonly batch: boolean
}

/**
 * The settings for a destination.
 * @throws HarmonyError `invalid-value` for what cannot be understood, `refused` for what we cannot do and must not leave
 * undone, `system` when a file cannot be read; each names its place.
 * @example
 * sshSettings('pi@kiosk', { home: homedir(), env: process.env, user: userInfo().username })
 */
export function sshSettings(destination: string, context: SshContext): SshSettings {
  return settle(parseDestination(destination), context, { chain: [] })
}

/** How we came to ask for a host: as the jump for these others. */
interface Way {
  readonly chain: readonly string[]
  /** The line that names it, with nothing but the jumps that stood before it; they count instead of its own. */
  readonly line?: Directive
}

function settle(destination: Destination, context: SshContext, way: Way): SshSettings {
  const name = destination.host
  const { options, host } = readOptions(destination, context, way.line)
  const port = destination.port ?? portOf(options)
  const user = destination.user ?? userOf(options) ?? context.user
  const self = `${user}@${host}:${port}`
  if (way.line && way.chain.includes(self))
    throw atPlace(
      way.line,
      `the way to ${self} leads through itself`,
      `give ${name} a section of its own with \`ProxyJump none\`, before this one`,
    )
  const alias = oneWordIf(options, 'hostkeyalias')
  const tokens = { h: host, n: name, p: String(port), r: user }
  const paths: PathContext = { ...context, tokens: { ...tokens, ...localTokens(context), k: alias ?? name } }
  return {
    name,
    host,
    port,
    user,
    via: viaOf(options, tokens, context, [...way.chain, self]),
    addressFamily: oneOfIf(options, 'addressfamily', ['any', 'inet', 'inet6']) ?? 'any',
    bindAddress: oneWordIf(options, 'bindaddress'),
    connectTimeoutMs: timeoutOf(options),
    keepAlive: keepAliveOf(options),
    hostKey: hostKeyOf(options, alias, paths),
    login: loginOf(options, paths),
    algorithms: algorithmsOf(options),
  }
}

/**
 * The last jump of the list reaches the host; the ones before it are how that one is reached, instead of what its own
 * section says, and so on. The first is reached as its own section says: as OpenSSH does with `ssh -J a,b host`.
 */
function viaOf(
  options: Options,
  tokens: Tokens,
  context: SshContext,
  chain: readonly string[],
): SshSettings | undefined {
  const line = options.line('proxy')
  if (line?.keyword !== 'proxyjump') return undefined
  const value = oneWord(line)
  if (value.toLowerCase() === 'none') return undefined
  const jumps = value.split(',').map((jump) => expandTokens(jump, tokens, line))
  const last = jumps.pop() ?? ''
  // What was expanded must not be expanded again.
  const before = jumps.map((jump) => jump.replaceAll('%', '%%'))
  const words = before.length > 0 ? [before.join(',')] : []
  return settle(parseJump(last, line), context, { chain, line: { ...line, words } })
}

function parseJump(text: string, place: Place): Destination {
  try {
    return parseDestination(text)
  } catch (error) {
    throw isHarmonyError(error) ? atPlace(place, error.message, error.hint) : error
  }
}
