/// <reference types="node" preserve="true" />
/** The kinds of Score that come with Harmony. */
export {
  AuthorizedKey,
  type AuthorizedKeyOutputs,
  type AuthorizedKeySpec,
  type AuthorizedKeyStatus,
} from './authorized-key.ts'
export { Directory, type DirectoryOutputs, type DirectorySpec, type DirectoryStatus } from './directory.ts'
export { File, type FileOutputs, type FileSpec, type FileStatus } from './file.ts'
export { Group, type GroupOutputs, type GroupSpec, type GroupStatus } from './group.ts'
export { Hostname, type HostnameOutputs, type HostnameSpec, type HostnameStatus } from './hostname.ts'
export { Package, type PackageOutputs, type PackageSpec, type PackageStatus } from './package.ts'
export { ShellJob, type ShellJobOptions, type ShellJobSpec, type ShellJobStatus } from './shell-job.ts'
export { StaticSite, type StaticSiteSpec } from './static-site.ts'
export { Symlink, type SymlinkOutputs, type SymlinkSpec, type SymlinkStatus } from './symlink.ts'
export { Sysctl, type SysctlOutputs, type SysctlSpec, type SysctlStatus } from './sysctl.ts'
export {
  SystemdService,
  type SystemdServiceOutputs,
  type SystemdServiceSpec,
} from './systemd-service.ts'
export { SystemdTimer, type SystemdTimerOutputs, type SystemdTimerSpec } from './systemd-timer.ts'
export { Timezone, type TimezoneOutputs, type TimezoneSpec, type TimezoneStatus } from './timezone.ts'
export type {
  InstallSection,
  ServiceDescription,
  ServiceSection,
  UnitSection,
  UnitValue,
} from './unit-text.ts'
export type { UnitStatus } from './units.ts'
export { User, type UserOutputs, type UserSpec, type UserStatus } from './user.ts'
