/** Kinds of Score for tests of what travels: none of them is ever interpreted. */
import { assetSchema, capability, claim, defineComposite, defineScore, secretable } from '@harmony-iac/core'
import * as z from 'zod'

const Things = capability<object>()('things')
const Shell = capability<object>()('shell')

const interpret = {
  observe: async () => ({}),
  compare: () => [],
  converge: async () => undefined,
  remove: async () => undefined,
}

/** Something at a path, with a secret or the content of a file in it. */
export const Thing = defineScore({
  kind: 'Thing',
  version: 2,
  needs: [Things],
  spec: z.strictObject({
    path: z.string(),
    token: secretable(z.string()).optional(),
    content: z.union([z.string(), assetSchema]).optional(),
    reads: z.string().optional(),
    check: z.array(z.string()).optional(),
  }),
  identity: ({ path }) => path,
  claims: ({ path }) => [claim.path(path)],
  uses: ({ path, reads }) => [claim.path(claim.folderOf(path)), ...(reads ? [claim.path(reads)] : [])],
  programs: ({ check }) => check !== undefined,
  upgrade: (spec) => spec,
  interpret,
  reactions: { reloadOn: async () => undefined },
})

/** Runs a program. */
export const Job = defineScore({
  kind: 'Job',
  version: 1,
  needs: [Shell],
  spec: z.strictObject({ name: z.string() }),
  identity: ({ name }) => name,
  interpret,
})

/** Has forgotten its first version. */
export const Old = defineScore({
  kind: 'Old',
  version: 2,
  needs: [],
  spec: z.strictObject({ name: z.string() }),
  identity: ({ name }) => name,
  interpret,
})

/** Throws where a kind should not. */
export const Careless = defineScore({
  kind: 'Careless',
  version: 1,
  needs: [],
  spec: z.strictObject({ path: z.string() }),
  identity: ({ path }) => path,
  claims: ({ path }) => {
    if (path === 'bad') throw new TypeError('nobody thought of this')
    return []
  },
  interpret,
})

/** A pair of things. */
export const Pair = defineComposite({
  kind: 'Pair',
  version: 1,
  needs: [Things],
  spec: z.strictObject({ at: z.string() }),
  identity: ({ at }) => at,
  compose: ({ at }) => [Thing({ path: `${at}/a` }), Thing({ path: `${at}/b` })],
})
