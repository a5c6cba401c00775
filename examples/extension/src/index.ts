/** Names in a host's own table of names, as Scores: a capability, a kind of Score, a topology that offers it. */
export { HostName } from './host-name.ts'
export { type HostLine, HostTables, type NameTable } from './host-tables.ts'
export { hostsFiles } from './hosts-file.ts'
export { NamedHost } from './named-host.ts'
