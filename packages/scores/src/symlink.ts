/** Keeps a symbolic link as wanted. */
import {
  claim,
  type Difference,
  defineScore,
  missing,
  type Needs,
  type ScoreFactory,
} from '@harmony-iac/core'
import { type Entry, Files } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { attributesToCome, compareAttributes, principal } from './attributes.ts'
import { clearDirectory, keepAside, observed, putBack, removeIf, standsOn } from './entries.ts'
import { absolutePath, resolveTarget } from './paths.ts'
import { rememberedPlace, rememberPlace } from './place.ts'

/** What a {@link Symlink} is made from. */
export interface SymlinkSpec {
  /** Where the link is: absolute and normalized. */
  readonly path: string
  /** Where it leads to, as it is written into the link: absolute, or relative to the link's folder. Need not exist. */
  readonly target: string
  /** Name or number of the user who owns the link itself. Default: whoever applies. */
  readonly owner?: string | number | undefined
  /** Name or number of the link's group. */
  readonly group?: string | number | undefined
}

/** Details of a {@link Symlink} as it is. */
export interface SymlinkStatus {
  /** What stands there. */
  readonly type: Entry['type']
  readonly target?: string | undefined
}

/** What other Scores may take from a {@link Symlink}. */
export interface SymlinkOutputs {
  readonly path: string
}

// What symlink(2) takes, the final NUL not included.
const longestTarget = 4095

const fields = {
  path: absolutePath,
  target: z
    .string()
    .min(1, 'is empty')
    .refine((text) => !text.includes('\0'), 'contains a NUL character')
    .refine((text) => text.isWellFormed(), 'contains half a surrogate pair, which no file name can hold')
    .refine((text) => Buffer.byteLength(text) <= longestTarget, `is longer than ${longestTarget} bytes`),
  owner: principal.optional(),
  group: principal.optional(),
} satisfies { readonly [K in keyof Required<SymlinkSpec>]: z.ZodType }

/**
 * A symbolic link: `Symlink({ path: '/srv/current', target: 'releases/7' })`.
 *
 * An existing link is replaced at once, so there is never a moment without one; a file, too. An empty directory gives
 * way; one that holds anything is refused. The link comes after whatever Score declares its target.
 *
 * Fails with `no-such-user`, `refused`, `plan-stale`, `system`.
 */
export const Symlink: ScoreFactory<
  'Symlink',
  SymlinkSpec,
  Needs<[typeof Files]>,
  SymlinkStatus,
  SymlinkOutputs
> = defineScore({
  kind: 'Symlink',
  version: 1,
  spec: z.strictObject(fields),
  needs: [Files],
  identity: (spec) => spec.path,
  claims: (spec) => [claim.path(spec.path)],
  uses: (spec) => {
    const target = resolveTarget(spec.path, spec.target)
    return target === undefined
      ? standsOn(spec.path, spec)
      : [...standsOn(spec.path, spec), claim.path(target)]
  },
  interpret: {
    light: true,
    async observe(spec, { files }, { signal }): Promise<{ readonly path: string; readonly entry: Entry }> {
      if (spec.owner !== undefined || spec.group !== undefined)
        await files.checkPrincipals({ owner: spec.owner, group: spec.group })
      return { path: spec.path, entry: await files.inspect(spec.path, { signal }) }
    },

    compare(spec, { entry }) {
      const found: Difference[] = []
      if (entry.type === 'symlink') {
        if (entry.target !== spec.target) found.push({ path: 'target', from: entry.target, to: spec.target })
        compareAttributes(spec, entry, found)
        return found
      }
      const { type } = entry
      found.push(
        type === 'absent' ? missing('symlink') : { path: '', from: type, to: 'symlink', replaces: true },
      )
      found.push({ path: 'target', from: null, to: spec.target })
      attributesToCome(spec, found)
      return found
    },

    async converge(spec, { files }, run) {
      const { entry } = run.state
      rememberPlace(run, spec.path, spec.path, entry)
      const wanted = { owner: spec.owner, group: spec.group, folder: entry.folder }
      if (entry.type === 'symlink' && entry.target === spec.target) {
        await files.setAttributes(spec.path, wanted)
        return
      }
      await clearDirectory(files, spec.path, entry, 'symbolic link')
      await files.makeSymlink(spec.path, spec.target, { ...wanted, fingerprint: observed(entry) })
    },

    async remove({ spec, previous, memory }, { files }, run) {
      const remembered = rememberedPlace(memory, spec.path)
      if (previous !== undefined) {
        await putBack(files, previous, remembered)
        return
      }
      const outcome = await removeIf(files, spec.path, ['symlink'], remembered)
      if (outcome !== 'gone') run.progress(`left ${spec.path} in place: it is not a symbolic link any more`)
    },

    recover: (spec, { files }) => files.cleanUp(spec.path),

    keep: (spec, { files }) => keepAside(files, spec.path),

    outputs: ({ path }): SymlinkOutputs => ({ path }),

    place: ({ entry }) => ({ folder: entry.folder ?? null }),

    status: ({ entry }): SymlinkStatus =>
      entry.type === 'symlink' ? { type: entry.type, target: entry.target } : { type: entry.type },
  },
})
