/**
 * What Harmony has installed on a host: the packages that were asked for and not there before, and those that came along
 * with them. It is written before the change, so a kill in between loses nothing. It is kept on the host and not with each
 * Score, because what came along with one may be needed by the next: whoever is removed last takes it along. Removed when
 * nothing is left in it.
 *
 * apt's own mark `automatic` alone would not do: what was there before, unneeded and unremoved, bears it as well.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { Host } from '@harmony-iac/core/host'
import { afresh, ensureFolder, pinIfThere, unlinkIfThere, using } from '../folders.ts'
import { joinPath, temporaryName } from '../names.ts'

/** What Harmony has installed. Names as they were asked for, or as apt gives them. */
export interface Installed {
  /** Asked for. `configuration`: such files of an earlier installation were there before. */
  readonly asked: Readonly<Record<string, { readonly configuration: boolean }>>
  readonly along: readonly string[]
}

/** Where that is kept. */
export interface InstalledRecord {
  read(): Promise<Installed>
  write(installed: Installed): Promise<void>
}

const file = 'packages.json'
const largest = 16 * 1024 * 1024

/** The record in a folder of the host, which is known late. */
export function installedRecord(host: Host, folder: () => Promise<string>): InstalledRecord {
  let written = ''
  return {
    async read() {
      const path = joinPath(await folder(), file)
      const found = await host.files.read(path, largest)
      written = found?.bytes ? new TextDecoder().decode(found.bytes) : ''
      return written === '' ? { asked: {}, along: [] } : parse(written, path)
    },
    async write({ asked, along }) {
      const path = await folder()
      const empty = Object.keys(asked).length === 0 && along.length === 0
      const text = empty ? '' : `${JSON.stringify({ asked, along: [...new Set(along)].sort() })}\n`
      if (text === written) return
      if (empty) {
        const there = await pinIfThere(host, path)
        if (there) await using(there, async (pinned) => void (await unlinkIfThere(pinned, file)))
      } else
        await using(await ensureFolder(host, path), async (pinned) => {
          const candidate = temporaryName(file)
          const bytes = new TextEncoder().encode(text)
          await afresh(pinned, candidate, () => pinned.create(candidate, bytes, { mode: 0o600 }))
          await pinned.rename(candidate, file)
          await pinned.sync()
        })
      written = text
    },
  }
}

function parse(text: string, path: string): Installed {
  try {
    const { asked, along } = JSON.parse(text) as Installed
    if (typeof asked === 'object' && Array.isArray(along)) return { asked, along }
  } catch {
    // Said below.
  }
  throw new HarmonyError('ledger-corrupt', `${path} does not say what was installed`, {
    hint: 'delete it: what was installed so far then stays when its Score is removed',
  })
}
