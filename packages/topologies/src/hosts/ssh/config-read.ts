/** The lines of the configuration that hold for one destination, from every file that counts. */
import { isIP } from 'node:net'
import { HarmonyError } from '@harmony-iac/core'
import type { SshContext } from './config.ts'
import { expandTokens } from './config-expand.ts'
import { type ConfigFiles, localConfigFiles } from './config-files.ts'
import { atPlace, type Directive } from './config-lines.ts'
import { noOptions, type Options, oneWord, refuseUnsupported } from './config-options.ts'
import { userOf } from './config-values.ts'
import { type ConfigScope, type Subject, walkConfig } from './config-walk.ts'
import { type Destination, isHostName } from './destination.ts'

/**
 * Reads them. `jumps` counts before all files, if it has a value.
 * @returns with the options the host that they lead to: a name in lower case, or an address.
 */
export function readOptions(
  destination: Destination,
  context: SshContext,
  jumps: Directive | undefined,
): { options: Options; host: string } {
  const options = noOptions()
  if (jumps && jumps.words.length > 0) options.add(jumps)
  let wanted = false
  const subject: Subject = {
    name: destination.host,
    originalName: destination.host,
    hostName: () => hostName(options, destination.host),
    user: () => destination.user ?? userOf(options) ?? context.user,
    localUser: context.user,
    finalPass: false,
    wantFinalPass: () => {
      wanted = true
    },
  }
  readFiles(context, subject, options)
  const host = hostName(options, destination.host)
  // In the final pass `Host` is compared with where the first one led to.
  if (wanted) readFiles(context, { ...subject, name: host, hostName: () => host, finalPass: true }, options)
  refuseUnsupported(options)
  return { options, host }
}

function readFiles(context: SshContext, subject: Subject, options: Options): void {
  const files = filesOf(context)
  for (const scope of scopesOf(context)) {
    const there = walkConfig(scope, files, subject, options.add)
    if (there || context.configFile === undefined) continue
    throw new HarmonyError('invalid-value', `${scope.path}: there is no such SSH configuration`, {
      hint: 'correct the path, or leave it out to use ~/.ssh/config',
      data: { path: scope.path },
    })
  }
}

function scopesOf({ home, configFile }: SshContext): ConfigScope[] {
  if (configFile === 'none') return []
  const own = { folder: `${home}/.ssh`, home }
  // As OpenSSH: a file that was named is believed, and so is the system's, whoever may write them.
  if (configFile !== undefined) return [{ ...own, path: configFile, strict: false }]
  return [
    { ...own, path: `${home}/.ssh/config`, strict: true },
    { path: '/etc/ssh/ssh_config', folder: '/etc/ssh', home: undefined, strict: false },
  ]
}

function filesOf({ readFile }: SshContext): ConfigFiles {
  return readFile ? { ...localConfigFiles, readFile } : localConfigFiles
}

/** `%h` in HostName is the name as written; nothing else is known there. */
function hostName(options: Options, original: string): string {
  const line = options.line('hostname')
  const name = line ? expandTokens(oneWord(line), { h: original }, line) : original
  if (line && !isHostName(name)) throw atPlace(line, `${JSON.stringify(name)} is not the name of a host`)
  return isIP(name) ? name : name.toLowerCase()
}
