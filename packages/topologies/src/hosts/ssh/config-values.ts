/** The values of the options that we honour, with OpenSSH's defaults. */
import { hostname } from 'node:os'
import type { HostKeySettings, LoginSettings, SshContext, SshSettings } from './config.ts'
import { expandPath, type PathContext, type Tokens } from './config-expand.ts'
import { atPlace } from './config-lines.ts'
import { duration, isOn, type Options, oneOfIf, oneWord, oneWordIf, wholeNumber } from './config-options.ts'
import { parsePort } from './destination.ts'

/** What paths may name beside the host: `%d`, `%u`, `%i`, `%l`, `%L`. Not `%C`, whose making differs by version. */
export function localTokens({ home, user }: SshContext): Tokens {
  const host = hostname()
  return { d: home, u: user, i: String(process.getuid?.() ?? 0), l: host, L: host.replace(/\..*/s, '') }
}

/** Port, 22 by default. */
export function portOf(options: Options): number {
  const line = options.line('port')
  const port = line ? parsePort(oneWord(line)) : 22
  if (line && port === undefined) throw atPlace(line, `${JSON.stringify(oneWord(line))} is not a port`)
  return port ?? 22
}

/**
 * User. OpenSSH 10 expands tokens and variables there, the others would log in as `%u`: we do neither.
 * @throws HarmonyError `invalid-value` when there are any.
 */
export function userOf(options: Options): string | undefined {
  const line = options.line('user')
  const user = line && oneWord(line)
  if (line && user !== undefined && /%|\$\{/.test(user))
    throw atPlace(line, `User: ${user}: tokens and variables are not supported`, 'write the name')
  return user
}

/** ConnectTimeout. */
export function timeoutOf(options: Options): number | undefined {
  const line = options.line('connecttimeout')
  const limit = line && duration(line)
  return limit ? limit * 1000 : undefined
}

/** ServerAliveInterval and ServerAliveCountMax. */
export function keepAliveOf(options: Options): SshSettings['keepAlive'] {
  const interval = options.line('serveraliveinterval')
  const countMax = options.line('serveralivecountmax')
  return {
    intervalMs: ((interval && duration(interval)) ?? 0) * 1000,
    countMax: countMax ? wholeNumber(countMax) : 3,
  }
}

/** What concerns the key of the host. */
export function hostKeyOf(options: Options, alias: string | undefined, paths: PathContext): HostKeySettings {
  const ssh = `${paths.home}/.ssh`
  return {
    alias,
    userFiles: filesOf(options, 'userknownhostsfile', paths) ?? [`${ssh}/known_hosts`, `${ssh}/known_hosts2`],
    globalFiles: filesOf(options, 'globalknownhostsfile', paths) ?? [
      '/etc/ssh/ssh_known_hosts',
      '/etc/ssh/ssh_known_hosts2',
    ],
    strict: strictnessOf(options),
    hash: isOn(options, 'hashknownhosts') ?? false,
    // An alias stands for a key wherever it is met, so the address says nothing.
    checkAddress: alias === undefined && (isOn(options, 'checkhostip') ?? false),
  }
}

/** What concerns our own keys and passwords. */
export function loginOf(options: Options, paths: PathContext): LoginSettings {
  const methods = oneWordIf(options, 'preferredauthentications')?.split(',')
  const wanted = (method: string) => methods === undefined || methods.includes(method)
  return {
    agent: agentOf(options, paths),
    identityFiles: identityFilesOf(options, paths),
    identitiesOnly: isOn(options, 'identitiesonly') ?? false,
    publicKey: wanted('publickey') && publicKeyOf(options),
    password: wanted('password') && (isOn(options, 'passwordauthentication') ?? true),
    keyboardInteractive:
      wanted('keyboard-interactive') && (isOn(options, 'kbdinteractiveauthentication') ?? true),
    batch: isOn(options, 'batchmode') ?? false,
  }
}

/** The lists of algorithms as they are written. */
export function algorithmsOf(options: Options): SshSettings['algorithms'] {
  const lists = {
    hostKey: oneWordIf(options, 'hostkeyalgorithms'),
    kex: oneWordIf(options, 'kexalgorithms'),
    cipher: oneWordIf(options, 'ciphers'),
    mac: oneWordIf(options, 'macs'),
  }
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list !== undefined))
}

function filesOf(options: Options, keyword: string, paths: PathContext): string[] | undefined {
  const line = options.line(keyword)
  if (!line) return undefined
  if (line.words.length === 0) throw atPlace(line, `${line.written} names no file`)
  if (line.words.length === 1 && line.words[0]?.toLowerCase() === 'none') return []
  return line.words.map((word) => expandPath(word, paths, line))
}

function strictnessOf(options: Options): HostKeySettings['strict'] {
  const value = oneOfIf(options, 'stricthostkeychecking', [
    'ask',
    'yes',
    'true',
    'accept-new',
    'no',
    'off',
    'false',
  ])
  if (value === 'true') return 'yes'
  if (value === 'off' || value === 'false') return 'no'
  return value ?? 'ask'
}

function publicKeyOf(options: Options): boolean {
  const words = ['yes', 'true', 'unbound', 'host-bound', 'no', 'false'] as const
  const value = oneOfIf(options, 'pubkeyauthentication', words)
  return value !== 'no' && value !== 'false'
}

/** An agent is named by a path, by the variable that holds its path, or `none`. */
function agentOf(options: Options, paths: PathContext): string | undefined {
  const line = options.line('identityagent')
  const value = line ? oneWord(line) : 'SSH_AUTH_SOCK'
  if (value.toLowerCase() === 'none') return undefined
  const [, variable] = /^\$([^{].*)$/s.exec(value) ?? []
  if (value === 'SSH_AUTH_SOCK' || variable !== undefined) return paths.env[variable ?? value] || undefined
  return line && expandPath(value, paths, line)
}

function identityFilesOf(options: Options, paths: PathContext): LoginSettings['identityFiles'] {
  if (options.identityFiles.length === 0) return 'default'
  return options.identityFiles
    .filter((line) => oneWord(line).toLowerCase() !== 'none')
    .map((line) => expandPath(oneWord(line), paths, line))
}
