/** Keeps one name in a host's table of names. */
// #region declaration
import { claim, defineScore, missing, ref } from '@harmony-iac/core'
import * as z from 'zod'
import { HostTables } from './host-tables.ts'

const problem = { error: 'must be an IPv4 or IPv6 address' }
const address = z.union([z.ipv4(problem), z.ipv6(problem)], problem)

const spec = z.strictObject({
  /** In lower case, as RFC 1123 has it: `db.internal`. */
  name: z
    .string()
    .max(253)
    .regex(
      /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
      'is no name of a host',
    ),
  /** What it stands for; also the `address` of another HostName. */
  address: ref(address),
  /** The path of the table. */
  table: z
    .string()
    .regex(/^(\/(?!\.{1,2}(\/|$))[\w.@+-]+)+$/, 'must be an absolute path')
    .default('/etc/hosts'),
})

/**
 * A name that a host knows by itself: `HostName({ name: 'db.internal', address: '10.0.0.5' })`.
 *
 * It owns its own line and nothing else of the table. On removal the line goes, or what stood there before comes back.
 *
 * Fails with `refused` when the name shares its line with others.
 */
export const HostName = defineScore({
  kind: 'HostName',
  version: 1,
  spec,
  needs: [HostTables],
  identity: ({ name, table }) => (table === '/etc/hosts' ? name : `${name} in ${table}`),
  // A part of the file: two Scores of one name exclude each other, and so does a File at the path of the table.
  claims: ({ name, table }) => [claim.part(table, name)],
  uses: ({ table }) => [claim.path(claim.folderOf(table))],
  // #endregion
  // #region interpret
  interpret: {
    // Reads, and never writes. No such line, no such table: an answer, not an error.
    async observe({ name, table }, { hostTables }) {
      return { line: await hostTables.find(table, name) }
    },

    // Pure: what is not as wanted, field by field.
    compare({ address }, { line }) {
      if (!line) return [missing('line'), { path: 'address', from: null, to: address }]
      return line.address === address ? [] : [{ path: 'address', from: line.address, to: address }]
    },

    // Never asks whether it is the first time: one call puts the line there, whatever was there before.
    async converge({ name, address, table }, { hostTables }) {
      await hostTables.put(table, name, `${address}\t${name}`)
    },

    // What was somebody else's comes back; what is only ours goes. Twice is as good as once.
    async remove({ spec: { name, table }, previous }, { hostTables }) {
      if (typeof previous === 'string') await hostTables.put(table, name, previous)
      else await hostTables.strike(table, name)
    },

    // Before the first change of a line that is not ours: what `remove` will get as `previous`.
    keep: async (_, __, { line }) => line?.text ?? null,

    // After a kill, before anything else.
    recover: ({ table }, { hostTables }) => hostTables.cleanUp(table),

    // For other Scores: `HostName({ name: 'www.internal', address: database.out.address })`.
    outputs: ({ line }) => ({ address: line?.address ?? '' }),

    status: ({ line }) => ({ address: line?.address }),
  },
})
// #endregion
