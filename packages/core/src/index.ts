/// <reference types="node" preserve="true" />
/** The language of Harmony: capabilities, Scores, topologies, projects. */

export { accountProblems } from './account-problems.ts'
export { flawOfKey, keyFingerprint, keyLineText, parseKeyLine } from './authorized-keys.ts'
export { canonical, digest, type Json } from './canonical.ts'
export { type Capability, capability, type Needs, offers } from './capability.ts'
export type { Claim } from './claims.ts'
export * as claim from './claims.ts'
export { defineComposite } from './composite.ts'
export {
  type ErrorCode,
  type ErrorDetails,
  exitStatusOf,
  HarmonyError,
  type Issue,
  isHarmonyError,
  toHarmonyError,
  ValueError,
} from './errors.ts'
export type { Emit, EngineEvent, ErrorData, Outcome } from './events.ts'
export {
  type Applied,
  type Difference,
  type Interpret,
  isCreation,
  type Look,
  missing,
  type Run,
  type Surplus,
  type Watch,
} from './interpret.ts'
export { type KeyRings, type KeyRingsOn, keyRings } from './key-rings.ts'
export { kindOf, knownKinds } from './kinds.ts'
export {
  type Asset,
  asset,
  assetSchema,
  type Bytes,
  bytes,
  bytesSchema,
  type Content,
  isSecret,
  mask,
  type Ref,
  type Refs,
  type Resolved,
  ref,
  type Secret,
  type Sensitive,
  secret,
  secretable,
  secretText,
  sensitive,
  text,
} from './late.ts'
export type { HomeLock, HomeLockOptions, StateHome } from './ledger/home.ts'
export {
  type Action,
  acts,
  type Conflict,
  changes,
  countPlan,
  type DueReaction,
  type Plan,
  type PlanCounts,
  type PlanFailure,
  type ShownDifference,
  type Step,
} from './plan/plan.ts'
export { type Deployment, defineProject, deploy, isProject, type Project } from './project.ts'
export {
  type AnyScore,
  type Definition,
  defineScore,
  type KindDefinition,
  type Score,
  type ScoreFactory,
  type ScoreOptions,
  type Scores,
} from './score.ts'
export { sysctlFile, sysctlsBefore } from './settings/sysctl-place.ts'
export { device, fleet, type Remote, type Topology, type UnknownTopology } from './topology.ts'
