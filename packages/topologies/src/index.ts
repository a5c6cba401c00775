/** The topologies that come with Harmony, and the parts to build others from. */
export { type LocalHostOptions, localFacts, localHost } from '#hosts/local'
export type { Probe } from '#hosts/local-folder'
export { type LinuxFilesOptions, linuxFiles } from '#linux/files'
export { hostHome, keptFolder, stateFolder } from '#linux/home'
export { linuxShell } from '#linux/shell'
export { type If, type LocalOptions, LocalTopology, type WithShell } from '#local'
