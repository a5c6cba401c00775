/** This machine, with its table of names. */
// #region topology
import { LocalTopology } from '@harmony-iac/topologies'
import type { NameTable } from './host-tables.ts'
import { hostsFiles } from './hosts-file.ts'

/** This machine: offers what a `LocalTopology` does, and `hostTables`. */
export class NamedHost extends LocalTopology {
  readonly hostTables: NameTable = hostsFiles(this.files)
}
// #endregion
