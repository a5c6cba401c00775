/** Keeps an image on a host: fetched from a registry, or read from an archive. */
import {
  type Asset,
  assetSchema,
  claim,
  type Difference,
  defineScore,
  HarmonyError,
  missing,
  type Needs,
  type Resolved,
  type ScoreFactory,
  type Secret,
  secretable,
} from '@harmony-iac/core'
import { type ContainerRuntime, Containers, type ImageState } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { digestIfReachable } from './container-converge.ts'
import { imageReference, isPinned, leavesTagOpen } from './container-fields.ts'
import { once } from './once.ts'

/** What a {@link ContainerImage} is made from. */
export interface ContainerImageSpec {
  /** With a tag or a digest: `registry.lan/app:4`. */
  readonly name: string
  /**
   * When it is fetched: while the host has none of that name, or whenever its registry has another one by now (which is
   * then asked in every pass, and not missed when it cannot be reached). Default `missing`.
   */
  readonly pull?: 'missing' | 'always' | undefined
  /** An archive as `docker save` and `podman save` write it, in place of a registry: `asset('./app.tar')`. */
  readonly archive?: Asset | undefined
  /** Who asks the registry. */
  readonly login?: { readonly username: string; readonly password: string | Secret } | undefined
}

/** Details of a {@link ContainerImage} as it is. */
export interface ContainerImageStatus {
  readonly exists: boolean
  readonly id?: string | undefined
  /** What registries call it. */
  readonly digests?: readonly string[] | undefined
  /** In bytes. */
  readonly size?: number | undefined
}

/** What other Scores may take from a {@link ContainerImage}. */
export interface ContainerImageOutputs {
  /** Another one for every content: `sha256:…`. */
  readonly id: string
}

const fields = () =>
  ({
    name: imageReference(),
    pull: z.enum(['missing', 'always']).optional(),
    archive: assetSchema.optional(),
    login: z
      .strictObject({
        username: z.string().regex(/^[^\p{Cc}:]{1,256}$/u, 'must be a name, without colons'),
        password: secretable(z.string().min(1, 'is empty')),
      })
      .optional(),
  }) satisfies { readonly [K in keyof Required<ContainerImageSpec>]: z.ZodType }

const schema = () =>
  z.strictObject(fields()).superRefine(({ name, pull, archive, login }, context) => {
    const issue = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message })
    if (leavesTagOpen(name)) issue('name', `does not say which one: write ${name}:TAG, or ${name}@sha256:…`)
    else if (name.startsWith('sha256:')) issue('name', 'is an id, which no registry knows; give its name')
    if (pull === 'always' && isPinned(name)) issue('pull', 'changes nothing: a digest is one image for ever')
    if (!archive) return
    if (isPinned(name)) issue('name', 'is a digest, which images in an archive do not have; give a tag')
    if (pull !== undefined) issue('pull', 'has no effect with archive')
    if (login !== undefined) issue('login', 'has no effect with archive')
  })

type Wanted = Resolved<z.output<ReturnType<typeof schema>>>

const memorySchema = once(() => z.object({ archive: z.string(), id: z.string() }))

interface ImageFound {
  readonly image: ImageState | undefined
  readonly registry: string | undefined
  /** What the archive was when it was last read, and which image came out of it. */
  readonly memory: z.infer<ReturnType<typeof memorySchema>> | undefined
}

// A name of its own: an image without one is taken for rubbish by whoever tidies up.
const keptName = (id: string) => `harmony-kept:${id.replace(/^sha256:/, '').slice(0, 24)}`
const keptSchema = once(() => z.strictObject({ id: z.string() }))

/**
 * An image that a host has: `ContainerImage({ name: 'registry.lan/app:4', login: { username: 'kiosk', password: secret('registry') } })`.
 *
 * Fetched with progress, or read from an archive, which needs no registry. Where the name stands for another image it is
 * moved to the wanted one; that of somebody else only with `adopt: true`, and it is put back on removal. On removal the
 * name goes, and the image with its last name, unless a container still stands on it.
 *
 * Fails with `refused` (no such image, a login that is not accepted, an archive without that image, no space left),
 * `unreachable`.
 */
export const ContainerImage: ScoreFactory<
  'ContainerImage',
  ContainerImageSpec,
  Needs<[typeof Containers]>,
  ContainerImageStatus,
  ContainerImageOutputs
> = defineScore({
  kind: 'ContainerImage',
  version: 1,
  spec: schema,
  needs: [Containers],
  identity: (spec) => spec.name,
  claims: ({ name }) => [claim.name('container-image', name)],
  interpret: {
    async observe(spec, { containers }, { memory, signal }): Promise<ImageFound> {
      const { name, pull } = spec
      const [image, registry] = await Promise.all([
        containers.image(name, signal),
        pull === 'always' ? digestIfReachable(name, containers, { login: loginOf(spec), signal }) : undefined,
      ])
      return { image, registry, memory: memorySchema().safeParse(memory).data }
    },

    compare({ archive }, { image, registry, memory }) {
      const found: Difference[] = image ? [] : [missing('image')]
      if (archive) {
        if (memory?.archive === archive.sha256 && image?.id === memory.id) return found
        return [...found, { path: 'archive', from: image?.id ?? null, to: archive.sha256 }]
      }
      if (image && registry !== undefined && !image.digests.includes(registry))
        found.push({ path: 'pull', from: image.digests[0] ?? image.id, to: registry })
      return found
    },

    async converge(spec, { containers }, { signal, progress, remember }) {
      const { name, archive } = spec
      if (!archive) {
        progress(`fetching ${name}`)
        return await containers.pull(name, { login: loginOf(spec), signal, onProgress: progress })
      }
      progress(`reading ${name} from its archive`)
      const loaded = await containers.load(archive.open(), { signal })
      const id = await imageOf(name, loaded, containers)
      remember({ archive: archive.sha256, id })
    },

    async keep(_, { containers }, { image }) {
      if (!image) return null
      await containers.tag(image.id, keptName(image.id))
      return { id: image.id }
    },

    async remove({ spec: { name }, previous }, { containers }) {
      const kept = keptSchema().safeParse(previous).data
      if (kept && (await containers.image(kept.id))) {
        await containers.tag(kept.id, name)
        await containers.removeImage(keptName(kept.id))
      } else await containers.removeImage(name)
    },

    outputs: ({ image }): ContainerImageOutputs => (image ? { id: image.id } : ({} as ContainerImageOutputs)),

    status: ({ image }): ContainerImageStatus =>
      image ? { exists: true, id: image.id, digests: image.digests, size: image.size } : { exists: false },
  },
})

function loginOf({ login }: Wanted): { readonly username: string; readonly password: string } | undefined {
  return login && { username: login.username, password: login.password.reveal() }
}

/** Which image of an archive is meant: the one that it calls so, or the only one. It gets the name. */
async function imageOf(
  name: string,
  loaded: readonly string[],
  containers: ContainerRuntime,
): Promise<string> {
  const meant = loaded.includes(name) ? name : loaded.length === 1 ? loaded[0] : undefined
  const image = meant === undefined ? undefined : await containers.image(meant)
  if (!image)
    throw new HarmonyError('refused', `the archive has no image ${name}`, {
      hint: loaded.length > 0 ? `it has ${loaded.join(', ')}` : 'write it with docker save or podman save',
      data: { image: name, loaded },
    })
  if (meant !== name) await containers.tag(image.id, name)
  return image.id
}
