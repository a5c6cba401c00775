/// <reference types="node" preserve="true" />
/** For tests: of stores and of carriers of requests, and of what uses them. */

export { faultyStore, type LostAnswer, StoreFaults } from '../store/faulty.ts'
export { type Check, NonConforming } from './demand.ts'
export {
  type RequestsConformance,
  type RequestsStage,
  requestsConformance,
} from './requests-conformance.ts'
export {
  type StoreConformance,
  type StoreStage,
  type StoreTrouble,
  storeConformance,
} from './store-conformance.ts'
export { type Tampering, tamperedCarrier } from './tampering.ts'
export { type TestKeys, testKeys } from './test-keys.ts'
