/** Copies of adopted things on a simulated host, to be put back on removal. */
import { hash } from 'node:crypto'
import * as z from 'zod'
import type { KeptEntry } from '../capabilities/files.ts'
import { HarmonyError } from '../errors.ts'
import { type Inode, octal } from './simulated-disk.ts'
import { fingerprintOf } from './simulated-entries.ts'

const keptSchema = z.object({
  type: z.enum(['file', 'directory', 'symlink']),
  mode: z.string(),
  uid: z.number(),
  gid: z.number(),
  target: z.string(),
  sha256: z.string(),
  copy: z.string(),
})

/** What a thing was, and for a file its bytes while there is a copy of them. */
export type Copy = z.infer<typeof keptSchema> & { readonly bytes: Uint8Array | undefined }

/** The copies. Named after what they are copies of, so that keeping a thing twice makes one copy. */
export class KeptCopies {
  readonly #contents = new Map<string, Uint8Array>()

  get names(): readonly string[] {
    return [...this.#contents.keys()]
  }

  /** Keeps a thing. @throws HarmonyError `refused` for what cannot be copied. */
  keep(path: string, node: Inode | undefined): KeptEntry {
    if (!node) return { type: 'absent' }
    if (node.type === 'other')
      throw new HarmonyError(
        'refused',
        `${path}: a device, socket or pipe cannot be kept, so it cannot be adopted`,
        { hint: 'choose another path, or remove it yourself' },
      )
    const copy = `${path} ${fingerprintOf(node)}`
    if (node.type === 'file') this.#contents.set(copy, node.bytes)
    const { type, uid, gid, target } = node
    return { type, mode: octal(node.mode), uid, gid, target, sha256: hash('sha256', node.bytes, 'hex'), copy }
  }

  /**
   * Finds what was kept. A file without bytes is back already: a pass was killed before it could say so.
   * @throws HarmonyError `refused` when its copy is gone and something else is there.
   */
  find(path: string, kept: KeptEntry, there: Inode | undefined): Copy {
    const found = keptSchema.parse(kept)
    const bytes = this.#contents.get(found.copy)
    if (found.type !== 'file' || bytes) return { ...found, bytes }
    if (there?.type !== 'file' || hash('sha256', there.bytes, 'hex') !== found.sha256)
      throw new HarmonyError(
        'refused',
        `${path}: the copy of what was there before is gone, so it cannot be put back`,
        {
          hint: `look for it in your backups (sha256 ${found.sha256}); put it back yourself, or remove the file, and apply again`,
          data: { path, sha256: found.sha256 },
        },
      )
    return { ...found, bytes }
  }

  drop({ copy }: Copy): void {
    this.#contents.delete(copy)
  }
}
