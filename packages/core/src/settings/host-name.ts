/**
 * The name of a Linux host: what the kernel calls it, hostname(5), its line in hosts(5), machine-info(5). The hosts file
 * follows the kernel at once: a host that does not find itself by the name it has now waits for a name server at every
 * sudo, and the kernel's name is changed by sudo.
 */
import type { HostName, HostNameWish, Setting } from '../capabilities/system.ts'
import { namesHost, ownLine, withHostName, withOwnLine } from './hosts-file.ts'
import { lineOfPretty, prettyLine, prettyName, withPrettyLine } from './machine-info.ts'
import {
  decoded,
  encoded,
  keptText,
  putBackEntry,
  readText,
  type SettingsOn,
  type TextFile,
  writeText,
} from './on.ts'

const live = '/proc/sys/kernel/hostname'
const stored = '/etc/hostname'
const hosts = '/etc/hosts'
const machine = '/etc/machine-info'

interface Names {
  readonly live: string
  readonly stored: string | undefined
}

/** The name of a host. */
export function hostNameOn(on: SettingsOn): Setting<HostNameWish, HostName> {
  const { files } = on

  async function names(): Promise<Names> {
    const [shown, { text }] = await Promise.all([on.shown(live), readText(files, stored)])
    return { live: shown.type === 'value' ? shown.text.trim() : '', stored: storedName(text) }
  }

  async function change(
    path: string,
    to: (text: string) => string,
    signal: AbortSignal | undefined,
    otherwise?: string,
  ): Promise<void> {
    const found = await readText(files, path)
    const text = found.text ?? otherwise
    if (text === undefined) return
    const wanted = to(text)
    if (wanted !== text) await writeText(files, path, found, wanted, signal)
  }

  async function call(name: string, signal: AbortSignal | undefined): Promise<void> {
    if ((await names()).live !== name) await on.rename(name, signal)
  }

  return {
    async look({ name }) {
      const [known, hostsFile, info] = await Promise.all([
        names(),
        readText(files, hosts),
        readText(files, machine),
      ])
      return {
        ...known,
        pretty: decoded(prettyName(info.text ?? '')),
        resolved: hostsFile.text === undefined || namesHost(hostsFile.text, name),
      }
    },

    async set({ name, pretty }, { signal } = {}) {
      const before = await names()
      if (before.live !== name || before.stored !== name) await on.announce?.('host name', name)
      await call(name, signal)
      await change(hosts, (text) => withHostName(text, name, others(before, name)), signal)
      await change(stored, (text) => (storedName(text) === name ? text : `${name}\n`), signal, '')
      if (pretty === undefined) return
      const line = lineOfPretty(encoded(pretty))
      const same = (text: string) => decoded(prettyName(text)) === pretty
      await change(machine, (text) => (same(text) ? text : withPrettyLine(text, line)), signal, '')
    },

    async keep({ name }) {
      const now = await names()
      const [{ text = '' }, info, entry] = await Promise.all([
        readText(files, hosts),
        readText(files, machine),
        files.keep(stored),
      ])
      return {
        live: now.live,
        stored: entry,
        hosts: ownLine(text, [...others(now, name), name]) ?? null,
        pretty: prettyLine(info.text ?? '') ?? null,
        machine: info.text !== undefined,
      }
    },

    async putBack({ name }, kept, { signal } = {}) {
      const now = await names()
      const line = keptText(kept, 'hosts')
      await call(keptText(kept, 'live') ?? '', signal)
      await change(hosts, (text) => withOwnLine(text, [...others(now, name), name], line), signal)
      await putBackEntry(files, stored, kept, 'stored')
      const info = await readText(files, machine)
      if (info.text === undefined) return
      const text = withPrettyLine(info.text, keptText(kept, 'pretty'))
      if (text === '' && kept.machine === false) await drop(machine, info)
      else if (text !== info.text) await writeText(files, machine, info, text, signal)
    },

    async cleanUp() {
      for (const path of [hosts, stored, machine]) await files.cleanUp(path)
    },
  }

  async function drop(path: string, { entry }: TextFile): Promise<void> {
    if (entry.type === 'absent') return
    await files.remove(path, { fingerprint: entry.fingerprint, folder: entry.folder })
  }
}

function storedName(text: string | undefined): string | undefined {
  return text
    ?.split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '' && !line.startsWith('#'))
}

function others({ live, stored }: Names, name: string): readonly string[] {
  return [stored, live].filter((each) => each !== undefined && each !== '' && each !== name) as string[]
}
