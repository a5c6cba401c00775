/** Keeps a directory as wanted, and with `purge` free of whatever no Score declares. */
import {
  claim,
  type Difference,
  defineScore,
  HarmonyError,
  isHarmonyError,
  missing,
  type Needs,
  type ScoreFactory,
} from '@harmony-iac/core'
import { type Entry, type FileSystem, Files } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { attributesOf, attributesToCome, compareAttributes, mode, principal } from './attributes.ts'
import { changedMeanwhile, keepAside, putBack, removeIf, standsOn } from './entries.ts'
import { absolutePath } from './paths.ts'
import { rememberedPlace, rememberPlace } from './place.ts'
import { deepestFirst, surplusOf } from './purge.ts'

/** What a {@link Directory} is made from. */
export interface DirectorySpec {
  /** Where: absolute and normalized. The folder that holds it must exist, or be declared as a `Directory` too. */
  readonly path: string
  /** Four octal digits, such as `'0750'`. Default: what is there stays; a new one gets the host's default. */
  readonly mode?: string | undefined
  /** Name or number of the user who owns it. Default: what is there stays; a new one belongs to who applies. */
  readonly owner?: string | number | undefined
  /** Name or number of its group. Default as for `owner`. */
  readonly group?: string | number | undefined
  /**
   * Delete whatever is below it that no Score on this host declares, of any project. What is below another declared
   * `Directory` is left to that one's `purge`, and what is mounted there stays. The plan lists every path, and exactly those are deleted. Default false.
   */
  readonly purge?: boolean | undefined
  /**
   * What `purge` leaves alone, as globs relative to the directory: `*` within a name, `**` across folders, `?`,
   * `[a-z]`, `{a,b}`; dot files match like others. `cache` or `cache/**` protects that folder with all that is in it,
   * `**\/*.log` every log. A folder that holds something excluded stays as well.
   */
  readonly exclude?: readonly string[] | undefined
}

/** Details of a {@link Directory} as it is. */
export interface DirectoryStatus {
  /** What stands there. */
  readonly type: Entry['type']
  readonly mode?: string | undefined
  readonly owner?: string | number | undefined
  readonly group?: string | number | undefined
}

/** What other Scores may take from a {@link Directory}. */
export interface DirectoryOutputs {
  readonly path: string
}

const glob = z
  .string()
  .min(1, 'is empty')
  .max(1024, 'is longer than 1024 characters')
  .refine(
    (text) => !text.includes('\0') && text.isWellFormed(),
    'contains a character that no file name can hold',
  )
  .refine((text) => !text.startsWith('!'), 'must not start with !; list what is to be left alone')
  .refine((text) => !text.startsWith('/'), 'must be relative to the directory')
  .refine((text) => !/(?:^|\/)\.{1,2}(?:\/|$)/.test(text), 'must not contain a . or .. segment')

const fields = {
  path: absolutePath,
  mode: mode.optional(),
  owner: principal.optional(),
  group: principal.optional(),
  purge: z.boolean().optional(),
  exclude: z.array(glob).readonly().optional(),
} satisfies { readonly [K in keyof Required<DirectorySpec>]: z.ZodType }

/**
 * A directory: `Directory({ path: '/srv/site', mode: '0755', purge: true })`.
 *
 * A file or link at the path is replaced. On removal it goes if it is empty, and stays otherwise; one that was there
 * before gets its attributes back. Purge runs after everything else below the directory, and deletes exactly what the
 * plan has listed: what has changed since is left alone.
 *
 * Fails with `no-such-user`, `plan-stale`, `system`.
 */
export const Directory: ScoreFactory<
  'Directory',
  DirectorySpec,
  Needs<[typeof Files]>,
  DirectoryStatus,
  DirectoryOutputs
> = defineScore({
  kind: 'Directory',
  version: 1,
  spec: z.strictObject(fields).refine((spec) => spec.exclude === undefined || spec.purge === true, {
    path: ['exclude'],
    error: 'has no effect without purge: true',
  }),
  needs: [Files],
  identity: (spec) => spec.path,
  claims: (spec) => [claim.path(spec.path)],
  uses: (spec) => standsOn(spec.path, spec),
  interpret: {
    light: true,
    async observe(spec, { files }, { signal }): Promise<{ readonly path: string; readonly entry: Entry }> {
      if (spec.owner !== undefined || spec.group !== undefined)
        await files.checkPrincipals(attributesOf(spec))
      return { path: spec.path, entry: await files.inspect(spec.path, { signal }) }
    },

    compare(spec, { entry }) {
      const found: Difference[] = []
      if (entry.type === 'directory') compareAttributes(spec, entry, found)
      else {
        const { type } = entry
        found.push(
          type === 'absent'
            ? missing('directory')
            : { path: '', from: type, to: 'directory', replaces: true },
        )
        attributesToCome(spec, found)
      }
      return found
    },

    async converge(spec, { files }, run) {
      const { entry } = run.state
      rememberPlace(run, spec.path, spec.path, entry)
      const wanted = { ...attributesOf(spec), folder: entry.folder }
      if (entry.type === 'directory') {
        await files.setAttributes(spec.path, wanted)
        return
      }
      // No call puts a directory in a file's place at once; who is killed in between finds nothing there, and goes on.
      if (entry.type !== 'absent') {
        const outcome = await files.remove(spec.path, {
          fingerprint: entry.fingerprint,
          folder: entry.folder,
        })
        if (outcome === 'changed' || outcome === 'not-empty') throw changedMeanwhile(spec.path)
      }
      await files.makeDirectory(spec.path, wanted)
    },

    async remove({ spec, previous, memory }, { files }, run) {
      const remembered = rememberedPlace(memory, spec.path)
      if (previous !== undefined) {
        await putBack(files, previous, remembered)
        return
      }
      const outcome = await removeIf(files, spec.path, ['directory'], remembered)
      if (outcome === 'not-empty') run.note(`left ${spec.path} in place: it is not empty`)
      if (outcome === 'other') run.note(`left ${spec.path} in place: it is not a directory any more`)
    },

    recover: (spec, { files }) => files.cleanUp(spec.path),

    keep: (spec, { files }) => keepAside(files, spec.path),

    async surplus(spec, { files }) {
      if (!spec.purge) return []
      return await surplusOf(spec.path, await files.list(spec.path), spec.exclude ?? [])
    },

    async discard(surplus, spec, { files }, run) {
      // Nothing was followed when it was listed, so everything must still lie below where the directory is now.
      const { folder: above } = await files.inspect(spec.path)
      const nameless: string[] = []
      for (const { path, fingerprint } of deepestFirst(surplus)) {
        if (fingerprint === '') {
          nameless.push(path)
          run.note(`left ${path} in place: its name is no UTF-8`)
          continue
        }
        const outcome = await removeBelow(
          files,
          path,
          fingerprint,
          above && folderBelow(above, spec.path, path),
        )
        if (outcome === 'not-empty') run.note(`left ${path} in place: it is not empty`)
        if (outcome === 'changed') run.note(`left ${path} in place: it has changed since it was listed`)
      }
      if (nameless.length === 0) return
      throw new HarmonyError(
        'refused',
        `cannot be purged, since its name is no UTF-8: ${nameless.join(', ')}`,
        {
          hint: 'remove or rename it by hand, or exclude it (? stands for such a character); all else was purged',
          data: { paths: nameless },
        },
      )
    },

    outputs: ({ path }): DirectoryOutputs => ({ path }),

    place: ({ entry }) => ({ folder: entry.folder ?? null }),

    status: ({ entry }): DirectoryStatus =>
      entry.type === 'absent'
        ? { type: 'absent' }
        : {
            type: entry.type,
            mode: entry.mode,
            owner: entry.owner.name ?? entry.owner.id,
            group: entry.group.name ?? entry.group.id,
          },
  },
})

/** Where the folder of something below a directory is, links among the directory's parents followed and none below it. */
function folderBelow(above: string, directory: string, path: string): string {
  const from = claim.folderOf(directory)
  const below = claim.folderOf(path).slice(from === '/' ? 0 : from.length)
  return above === '/' ? below : `${above}${below}`
}

async function removeBelow(
  files: FileSystem,
  path: string,
  fingerprint: string,
  folder: string | undefined,
): ReturnType<FileSystem['remove']> {
  try {
    return await files.remove(path, { fingerprint, folder })
  } catch (error) {
    // A link is in the way by now.
    if (isHarmonyError(error) && error.code === 'plan-stale') return 'changed'
    throw error
  }
}
