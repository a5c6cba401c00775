/// <reference types="node" preserve="true" />
/** The topologies that come with Harmony, and the parts to build others from. */
export { type ContainerHostOptions, inContainer } from './hosts/container/container.ts'
export { type LocalHostOptions, localFacts, localHost } from './hosts/local.ts'
export type { Probe } from './hosts/local-folder.ts'
export { type SshOptions, type SudoOptions, ssh } from './hosts/ssh/ssh.ts'
export { type Diagnosis, examine } from './linux/diagnosis/examine.ts'
export type { Sudo } from './linux/diagnosis/facts.ts'
export type { Concern, Finding, Problem } from './linux/diagnosis/findings.ts'
export { type LinuxFilesOptions, linuxFiles } from './linux/files.ts'
export { hostHome, keptFolder, stateFolder } from './linux/home.ts'
export {
  type Disk,
  type EngineVersion,
  type Inventory,
  type Memory,
  type MountedFileSystem,
  type NetworkInterface,
  type OperatingSystem,
  type SystemdVersion,
  takeInventory,
} from './linux/inventory/inventory.ts'
export { type LinuxPackagesOptions, linuxPackages } from './linux/packages/packages.ts'
export { type LinuxServices, linuxServices } from './linux/services/services.ts'
export { linuxShell } from './linux/shell.ts'
export { linuxSystem } from './linux/system/system.ts'
export { linuxUsers } from './linux/users.ts'
export { type If, type LocalOptions, LocalTopology, type WithShell } from './local.ts'
export { type PiOptions, PiTopology } from './pi.ts'
