/** Keeps a file as wanted: its content, and of mode, owner and group what is named. */
import {
  type Asset,
  type Bytes,
  claim,
  type Difference,
  defineScore,
  HarmonyError,
  missing,
  type Needs,
  type Ref,
  type Resolved,
  type ScoreFactory,
  type Secret,
  secretable,
} from '@harmony-iac/core'
import { type Entry, type FileSystem, Files } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { argv } from './argv.ts'
import { attributesOf, attributesToCome, compareAttributes, mode, principal } from './attributes.ts'
import {
  digestOfFound,
  isContent,
  plainContent,
  readShort,
  sameContent,
  showFound,
  showWanted,
  sizeOf,
  type WantedContent,
  writable,
} from './content.ts'
import { clearDirectory, keepAside, observed, putBack, removeIf, standsOn } from './entries.ts'
import { absolutePath } from './paths.ts'
import { rememberedPlace, rememberPlace } from './place.ts'

/** What a {@link File} is made from. */
export interface FileSpec {
  /** Where: absolute and normalized. The folder must exist, or be declared as a `Directory`. */
  readonly path: string
  /**
   * What is in it: text, `bytes(…)`, the content of a local file of any size as `asset('./logo.png')`, a `secret(…)`
   * or `secretText`, or text from the output of another Score.
   */
  readonly content: string | Bytes | Asset | Secret | Ref<string>
  /**
   * Four octal digits, such as `'0640'`. Default: what is there stays; a new file gets the host's default, or `'0600'`
   * if its content is a secret.
   */
  readonly mode?: string | undefined
  /** Name or number of the user who owns it. Default: what is there stays; a new file belongs to who applies. */
  readonly owner?: string | number | undefined
  /** Name or number of its group. Default as for `owner`. */
  readonly group?: string | number | undefined
  /**
   * A program and its arguments, run on the host against new content before it goes live: `['visudo', '-cf', '{}']`.
   * `{}` stands for the path of the candidate. An exit status other than 0 refuses it, and what was there stays.
   */
  readonly validate?: readonly string[] | undefined
  /**
   * Write through a symbolic link at `path` to the file that it leads to. Without it a link is replaced by the file.
   * Default false.
   */
  readonly follow?: boolean | undefined
}

/** Details of a {@link File} as it is. */
export interface FileStatus {
  /** What stands there. */
  readonly type: Entry['type']
  /** In bytes. */
  readonly size?: number | undefined
  /** Lower-case hex. Absent when the content is a secret: a digest would let it be guessed. */
  readonly sha256?: string | undefined
  readonly mode?: string | undefined
  readonly owner?: string | number | undefined
  readonly group?: string | number | undefined
}

/** What other Scores may take from a {@link File}. */
export interface FileOutputs {
  /** Where it is; with `follow`, where the link leads to. */
  readonly path: string
  /** Of its content. Not given when the content is a secret; a reference to it is then refused. */
  readonly sha256: string
}

const fields = {
  path: absolutePath,
  content: secretable(plainContent),
  mode: mode.optional(),
  owner: principal.optional(),
  group: principal.optional(),
  validate: argv
    .refine((words) => words.some((word) => word.includes('{}')), {
      error:
        'must have {} in an argument: it stands for the path of the candidate, which is what is to be checked',
    })
    .optional(),
  follow: z.boolean().optional(),
} satisfies { readonly [K in keyof Required<FileSpec>]: z.ZodType }

const schema = z.strictObject(fields)

interface FileState {
  /** Where it is: the path, or with `follow` where the link there leads to. */
  readonly at: string
  readonly entry: Entry
  readonly secret: boolean
  /** The bytes of a short asset that differs, so that the difference can be shown as text. */
  readonly ahead: Uint8Array | undefined
}

/**
 * A file with this content: `File({ path: '/etc/motd', content: 'Welcome\n', mode: '0644' })`.
 *
 * There is never a moment without a complete file: new content is written beside it, made durable and renamed over it.
 * A symbolic link or special file at the path is replaced, an empty directory too; a directory that holds anything is
 * refused. Attributes that are not named are left alone. On removal the file goes, or what was there before comes back.
 *
 * Fails with `no-such-user`, `refused` (by `validate`, or because of what stands there), `plan-stale`, `system`.
 */
export const File: ScoreFactory<
  'File',
  FileSpec,
  Needs<[typeof Files]>,
  FileStatus,
  FileOutputs
> = defineScore({
  kind: 'File',
  version: 1,
  spec: schema,
  needs: [Files],
  identity: (spec) => spec.path,
  claims: (spec) => [claim.path(spec.path)],
  uses: (spec) => standsOn(spec.path, spec),
  programs: (spec) => spec.validate !== undefined,
  interpret: {
    light: true,
    observe(spec, { files }, { signal }): FileState | Promise<FileState> {
      if (spec.owner === undefined && spec.group === undefined && !spec.follow) {
        const entry = files.inspectNow?.(spec.path)
        const wanted = spec.content.reveal()
        if (entry && (!isContent(wanted) || holds(entry, wanted)))
          return { at: spec.path, entry, secret: spec.content.secret, ahead: undefined }
      }
      return look(spec, files, signal)
    },
    compare(spec, { entry, secret, ahead }) {
      const wanted = spec.content.reveal()
      const found: Difference[] = []
      if (entry.type === 'file') {
        if (!sameContent(wanted, entry.content))
          found.push({ path: 'content', from: showFound(entry.content), to: showWanted(wanted, ahead) })
        compareAttributes(spec, entry, found)
        return found
      }
      found.push(
        entry.type === 'absent'
          ? missing('file')
          : { path: '', from: entry.type, to: 'file', replaces: true },
      )
      found.push({ path: 'content', from: null, to: showWanted(wanted, ahead) })
      attributesToCome({ ...spec, mode: modeOfNew(spec.mode, secret) }, found)
      return found
    },

    async converge(spec, { files }, run) {
      const { at, entry, secret } = run.state
      const { folder } = entry
      const wanted = spec.content.reveal()
      rememberPlace(run, spec.path, at, entry)
      if (holds(entry, wanted)) {
        await files.setAttributes(at, { ...attributesOf(spec), folder })
        return
      }
      await clearDirectory(files, at, entry, 'file')
      const size = sizeOf(wanted)
      await files.writeFile(at, writable(wanted), {
        ...attributesOf(spec),
        mode: entry.type === 'file' ? spec.mode : modeOfNew(spec.mode, secret),
        folder,
        fingerprint: observed(entry),
        validate: spec.validate,
        signal: run.signal,
        onProgress: size > worthTelling ? (bytes) => run.progress('writing', bytes, size) : undefined,
      })
    },

    async remove({ spec, previous, memory }, { files }, run) {
      const remembered = rememberedPlace(memory, spec.path)
      if (previous !== undefined) {
        await putBack(files, previous, remembered)
        return
      }
      // A link that we wrote through is not ours, and neither is one that has since taken the file's place.
      const at = spec.follow ? (remembered?.at ?? (await placeOf(files, spec.path))) : spec.path
      const outcome = await removeIf(files, at, spec.follow ? ['file'] : ['file', 'symlink'], remembered)
      if (outcome !== 'gone') run.progress(`left ${at} in place: it is not a file any more`)
    },

    async recover(spec, { files }) {
      await files.cleanUp(spec.path)
      const at = spec.follow ? await placeOf(files, spec.path) : spec.path
      if (at !== spec.path) await files.cleanUp(at)
    },

    keep: (_, { files }, state) => keepAside(files, state.at),

    outputs: ({ at, entry, secret }): FileOutputs => {
      const sha256 = entry.type === 'file' && !secret ? digestOfFound(entry.content) : undefined
      // An output that is not there is refused where it is referred to.
      return sha256 === undefined ? ({ path: at } as FileOutputs) : { path: at, sha256 }
    },

    place: ({ at, entry }) => ({ at, folder: entry.folder ?? null }),

    status: ({ entry, secret }): FileStatus => {
      if (entry.type === 'absent') return { type: 'absent' }
      const facts = {
        type: entry.type,
        mode: entry.mode,
        owner: entry.owner.name ?? entry.owner.id,
        group: entry.group.name ?? entry.group.id,
      }
      if (entry.type !== 'file') return facts
      const { content } = entry
      return { ...facts, size: content.size, sha256: secret ? undefined : digestOfFound(content) }
    },
  },
})

/** Looks where waiting is needed: users to be checked, links to be followed, large content to be read. */
async function look(spec: Resolved<FileSpec>, files: FileSystem, signal: AbortSignal): Promise<FileState> {
  if (spec.owner !== undefined || spec.group !== undefined) await files.checkPrincipals(attributesOf(spec))
  let at = spec.path
  let entry = await files.inspect(at, { content: true, signal })
  if (spec.follow && entry.type === 'symlink') {
    at = await files.resolve(at)
    entry = await files.inspect(at, { content: true, signal })
    if (entry.type !== 'file' && entry.type !== 'absent')
      throw new HarmonyError(
        'refused',
        `${spec.path} is a link to ${at}, where no file is but a ${entry.type}`,
        {
          hint: 'let the link lead to a file; or leave out follow, and the link is replaced by the file',
          data: { path: spec.path, target: at },
        },
      )
  }
  const wanted = spec.content.reveal()
  const ahead = isContent(wanted) && !holds(entry, wanted) ? await readShort(wanted) : undefined
  return { at, entry, secret: spec.content.secret, ahead }
}

// Below 1 MiB a write is done before anybody has read the line.
const worthTelling = 1024 * 1024

function holds(entry: Entry, wanted: WantedContent): boolean {
  return entry.type === 'file' && sameContent(wanted, entry.content)
}

/** A new file with a secret in it is nobody else's to read unless the spec says so. */
function modeOfNew(mode: string | undefined, secret: boolean): string | undefined {
  return mode ?? (secret ? '0600' : undefined)
}

/** Where a path leads to now, if a link stands there. */
async function placeOf(files: FileSystem, path: string): Promise<string> {
  const entry = await files.inspect(path)
  return entry.type === 'symlink' ? await files.resolve(path) : path
}
