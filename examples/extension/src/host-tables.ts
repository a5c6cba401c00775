/**
 * The capability to keep names in a host's own table of names (RFC 952): what is asked before any DNS server is. Named
 * after the concept: a file on Linux, a registry elsewhere, a page of an appliance offer the same, and no Score changes.
 */
// #region capability
import { type Capability, capability } from '@harmony-iac/core'

/** One line of a table. */
export interface HostLine {
  readonly address: string
  readonly names: readonly string[]
  /** As it is written, with its comment. */
  readonly text: string
}

/** Tables of names on one host. Several Scores share a table, so every change keeps what others have in it. */
export interface NameTable {
  /** The first line with this name; `undefined` when there is none, or no table. */
  find(table: string, name: string): Promise<HostLine | undefined>
  /**
   * Puts a line in the place of the one that has this name, or at the end.
   * @throws HarmonyError `refused` when other names stand in that line too.
   */
  put(table: string, name: string, text: string): Promise<void>
  /** Takes the name away, and its line when no other name is left in it. */
  strike(table: string, name: string): Promise<void>
  /** Removes what a killed change may have left beside the table. */
  cleanUp(table: string): Promise<void>
}

// #region token
/** The token of {@link NameTable}: its name on a topology, and its type. */
export const HostTables: Capability<'hostTables', NameTable> = capability<NameTable>()('hostTables')
// #endregion token
// #endregion capability
