/// <reference types="node" preserve="true" />
/** Bundles: made, signed and shipped on one side, judged and used on the other. */

export { type Bundle, type BundledAsset, bundleType, isAgentId } from './bundle.ts'
export { bundledSources, type ChunkSource } from './bundled-sources.ts'
export {
  type ContentId,
  chunkKey,
  isChunk,
  joinContent,
  type Manifest,
  ManifestMaker,
  manifestKey,
  readManifest,
  splitContent,
  writeManifest,
} from './chunks.ts'
export {
  type DesiredState,
  desiredStateKey,
  nothingShipped,
  type ReadDesiredState,
  readDesiredState,
  type Shipped,
  shippedOf,
  withoutProject,
  withShipped,
  writeDesiredState,
} from './desired-state.ts'
export {
  type Envelope,
  type OpenedEnvelope,
  readEnvelope,
  signEnvelope,
  signedBytes,
  writeEnvelope,
} from './envelope.ts'
export { type Acceptance, type Accepted, type JudgeContext, judge, type Verdict } from './judge.ts'
export { after, judgeAll } from './judge-all.ts'
export * from './limits.ts'
export { type BundleRequest, type MadeBundle, makeBundle, signBundle } from './make-bundle.ts'
export { defaultPolicy, type Policy, policySchema, type Violation, violationsOf } from './policy.ts'
export { type ClaimConflict, describeRejection, type Rejection } from './rejection.ts'
export { readScore, type ScoreReading } from './scores.ts'
export { nextGeneration, readShipped, type Shipment, type ShippingStore, ship } from './ship.ts'
export { type Flaw, type Read, readStrictJson, writeStrictJson } from './strict-json.ts'
export { wireSchemas } from './wire-schemas.ts'
