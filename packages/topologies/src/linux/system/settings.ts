/**
 * What of a Linux host's settings is no file: the kernel's, under `/proc/sys`, and the services that want to be told. A
 * file there can be neither replaced nor truncated, and has no size: programs read and write it, each in one go.
 */
import { HarmonyError, toHarmonyError } from '@harmony-iac/core'
import type { FileSystem, SystemSettings } from '@harmony-iac/core/capabilities'
import type { ExecResult, Host } from '@harmony-iac/core/host'
import { hostSettings, type ShownByKernel } from '@harmony-iac/core/settings'
import { gather } from '../services/gather.ts'
import { announce } from './announce.ts'
import { linesByPath } from './shown.ts'

const timeoutMs = 30_000
// Together well below what a command line may hold.
const mostPaths = 500
const outputLimit = 16 * 1024 * 1024
const rootBits = 0o222
const readBits = 0o444

/** The settings of a Linux host. */
export function settingsOf(host: Host, files: FileSystem): SystemSettings {
  /** One program for all who ask at once. A file without a line end, or without a line, is told by its mode. */
  const shown = gather(0, async (asked: readonly string[]): Promise<readonly ShownByKernel[]> => {
    const paths = [...new Set(asked)]
    const found = new Map<string, string>()
    for (let i = 0; i < paths.length; i += mostPaths) {
      const some = paths.slice(i, i + mostPaths)
      // Its status says that one of them could not be read; which, is seen below.
      const { stdout } = await host.exec(['grep', '-s', '-H', '', ...some], { timeoutMs, outputLimit })
      for (const [path, text] of linesByPath(Buffer.from(stdout).toString(), some)) found.set(path, text)
    }
    return await Promise.all(
      asked.map(async (path) => {
        const text = found.get(path)
        return text === undefined ? await whyNothing(path) : { type: 'value', text }
      }),
    )
  })

  async function whyNothing(path: string): Promise<ShownByKernel> {
    const stat = await host.files.lstat(path)
    if (stat?.type !== 'file') return { type: 'absent' }
    return (stat.mode & readBits) === 0 ? { type: 'unreadable' } : { type: 'value', text: '' }
  }

  async function run(
    argv: readonly [string, ...string[]],
    options: { readonly stdin?: string; readonly signal: AbortSignal | undefined },
  ): Promise<{ readonly well: boolean; readonly said: string }> {
    const { exitCode, stderr }: ExecResult = await host.exec(argv, { ...options, timeoutMs })
    return { well: exitCode === 0, said: Buffer.from(stderr).toString().trim() }
  }

  async function write(path: string, value: string, signal: AbortSignal | undefined): Promise<void> {
    const { well, said } = await run(['tee', path], { stdin: `${value}\n`, signal })
    if (!well) throw notTaken(`${path.slice('/proc/sys/'.length)} = ${value}`, said)
  }

  async function rename(name: string, signal: AbortSignal | undefined): Promise<void> {
    const { well, said } = await run(['hostname', name], { signal })
    if (!well) throw notTaken(`the host name ${name}`, said)
  }

  return hostSettings({
    files,
    async shown(path) {
      try {
        return await shown(path)
      } catch (error) {
        throw toHarmonyError(error)
      }
    },
    isWritable: async (path) => (((await host.files.lstat(path))?.mode ?? rootBits) & rootBits) !== 0,
    write,
    rename,
    announce: (what, value) => announce(host, what, value),
  })
}

function notTaken(what: string, said: string): HarmonyError {
  return new HarmonyError('refused', `${what} is not taken by the host: ${said || 'it does not say why'}`, {
    hint: hintFor(said),
    data: { said },
  })
}

function hintFor(said: string): string {
  if (/read-only file system/i.test(said))
    return 'in a container the kernel belongs to the machine around it: set it there, or when the container is made (docker run --sysctl, --hostname)'
  if (/permission denied|not permitted|must be root/i.test(said))
    return 'apply as root; in a container that takes the capability SYS_ADMIN or NET_ADMIN as well, or set it from outside (docker run --hostname, --sysctl)'
  if (/invalid argument|out of range|numerical result/i.test(said))
    return 'the kernel knows the setting and refuses this value: see its documentation for what it takes'
  return 'see what it says, and apply again'
}
