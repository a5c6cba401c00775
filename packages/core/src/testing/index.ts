/// <reference types="node" preserve="true" />
/** For tests: of projects, of kinds of Score, of topologies, and of the engine. */

export {
  type Conducted,
  type ConductOptions,
  conduct,
  contentOf,
  type Passed,
  secretValueOf,
} from './conduct.ts'
export {
  type Check,
  type Conformance,
  type ConformanceCase,
  NonConforming,
  type Rule,
  scoreConformance,
} from './conformance.ts'
export { type Path, textsOf, withValue } from './conformance-hostile.ts'
export {
  Faults,
  Killed,
  type Moment,
  type PortCall,
  type Progress,
  systemError,
  type WriteCall,
} from './faults.ts'
export {
  type CountedCall,
  faultyHost,
  type HostFaultPlan,
  type HostFaults,
  hostFaults,
} from './faulty-host.ts'
export { MemoryHome } from './memory-home.ts'
export { mortalHost } from './mortal-host.ts'
export { type SimulatedOptions, SimulatedTopology } from './simulated.ts'
export type { ContainerBehaviour } from './simulated-container.ts'
export { SimulatedContainers } from './simulated-containers.ts'
export {
  compareSnapshots,
  type DiskAttributes,
  type DiskTree,
  SimulatedDisk,
  type Snapshot,
} from './simulated-disk.ts'
export { SimulatedFiles } from './simulated-files.ts'
export { type ArchivedPackage, type SimulatedPackage, SimulatedPackages } from './simulated-packages.ts'
export { type OperatorDeed, type ServiceBehaviour, SimulatedServices } from './simulated-services.ts'
export { type Program, type ShellCall, SimulatedShell } from './simulated-shell.ts'
export { SimulatedSystem } from './simulated-system.ts'
export { type SimulatedUser, SimulatedUsers } from './simulated-users.ts'
export type { Stage } from './stage.ts'
export { VirtualClock } from './virtual-clock.ts'
