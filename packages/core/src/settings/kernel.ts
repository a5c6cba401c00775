/**
 * Settings of the Linux kernel: now, in `/proc/sys`, and at the next start, in a file of sysctl.d(5) for each key. A file
 * that is read later may say otherwise: that is found by reading them all, as the host will.
 */
import type { KernelSetting, KernelSettingWish, Setting } from '../capabilities/system.ts'
import { folderOf } from '../claims.ts'
import { HarmonyError } from '../errors.ts'
import { near } from './near.ts'
import { keptText, putBackEntry, readText, type SettingsOn, writeText } from './on.ts'
import {
  type Assignment,
  assignments,
  inOrder,
  normalValue,
  pathOfKey,
  sysctlFolders,
  textOfKey,
} from './sysctl-files.ts'
import { sysctlFile } from './sysctl-place.ts'

const old = '/etc/sysctl.conf'
/** What reads the files at the start; another reader takes {@link old} last. */
const reader = '/usr/lib/systemd/systemd-sysctl'

/** The settings of a kernel. */
export function kernelOn(on: SettingsOn): Setting<KernelSettingWish, KernelSetting> {
  const { files } = on
  let asked: Promise<ReadonlyMap<string, Assignment>> | undefined

  /** A thousand who ask at once are answered by one look, which begins after they have asked: it sees what they wrote. */
  function atStart(): Promise<ReadonlyMap<string, Assignment>> {
    asked ??= new Promise((resolve) => {
      setImmediate(resolve)
    }).then(() => {
      asked = undefined
      return readAll()
    })
    return asked
  }

  async function readAll(): Promise<ReadonlyMap<string, Assignment>> {
    const [listed, known] = await Promise.all([
      Promise.all(sysctlFolders.map((folder) => files.list(folder))),
      files.inspect(reader),
    ])
    const paths = listed.flat().map(({ path }) => path)
    const ordered = inOrder(paths, known.type === 'absent' ? old : undefined)
    return assignments(
      await Promise.all(
        ordered.map(async (path) => {
          const at = await target(path)
          const { text = '' } = at === undefined ? {} : await readText(files, at)
          return { path, text }
        }),
      ),
    )
  }

  /** Debian has a link to the old file among them; one to /dev/null hides a file. */
  async function target(path: string): Promise<string | undefined> {
    const { type } = await files.inspect(path)
    if (type !== 'symlink') return path
    try {
      return await files.resolve(path)
    } catch {
      return undefined // it leads nowhere, and is read as nothing
    }
  }

  async function now(key: string): Promise<string> {
    const shown = await on.shown(pathOfKey(key))
    if (shown.type === 'value') return normalValue(shown.text)
    if (shown.type === 'unreadable')
      throw new HarmonyError('refused', `${key} cannot be read, so it is an order and not a setting`, {
        hint: 'run it as a job where it is needed; there is nothing to be kept as wanted',
        data: { key },
      })
    throw await unknownKey(key)
  }

  async function unknownKey(key: string): Promise<HarmonyError> {
    const path = pathOfKey(key)
    const folder = folderOf(path)
    const siblings = (await files.list(folder))
      .map((each) => each.path)
      .filter((at) => folderOf(at) === folder)
    const name = (at: string) => at.slice(folder.length + 1)
    const [nearest] = near(name(path), siblings.map(name))
    return new HarmonyError('refused', `there is no kernel setting ${key} on this host`, {
      hint: `${nearest ? `did you mean ${key.slice(0, key.lastIndexOf('.') + 1)}${nearest}? ` : ''}A setting comes with its module or interface (net.bridge.* with br_netfilter): load that first, in /etc/modules-load.d for every start`,
      data: { key },
    })
  }

  return {
    async look({ key, value }) {
      const [live, boot, file] = await Promise.all([now(key), atStart(), readText(files, sysctlFile(key))])
      if (live !== normalValue(value) && !(await on.isWritable(pathOfKey(key))))
        throw new HarmonyError('refused', `${key} is ${live}, and this kernel lets nobody change it`, {
          hint: 'leave the Sysctl out; such a value is decided when the kernel is built or started',
          data: { key, live },
        })
      return { live, kept: file.text === textOfKey(key, value), boot: boot.get(key) }
    },

    // The kernel first: what it refuses must not be what it is told at the next start.
    async set({ key, value }, { signal } = {}) {
      if ((await now(key)) !== normalValue(value)) await on.write(pathOfKey(key), value, signal)
      const path = sysctlFile(key)
      const file = await readText(files, path)
      if (file.text === textOfKey(key, value)) return
      await makeFolder()
      const there = await readText(files, path)
      await writeText(files, path, there, textOfKey(key, value), signal)
    },

    async keep({ key }) {
      const path = sysctlFile(key)
      const folder = await files.inspect(folderOf(path))
      return { live: await now(key), file: await files.keep(path), folder: folder.type !== 'absent' }
    },

    async putBack({ key }, kept, { signal } = {}) {
      const path = sysctlFile(key)
      await putBackEntry(files, path, kept, 'file')
      if (kept.folder === false) await files.remove(folderOf(path))
      const live = keptText(kept, 'live') ?? ''
      // Gone with its module or its interface: then nothing is left to be put back.
      const shown = await on.shown(pathOfKey(key))
      if (shown.type === 'value' && normalValue(shown.text) !== live)
        await on.write(pathOfKey(key), live, signal)
    },

    cleanUp: ({ key }) => files.cleanUp(sysctlFile(key)),
  }

  async function makeFolder(): Promise<void> {
    const folder = sysctlFolders[0] ?? ''
    const entry = await files.inspect(folder)
    if (entry.type === 'absent') await files.makeDirectory(folder, { mode: '0755', folder: entry.folder })
  }
}
