/// <reference types="node" preserve="true" />
/** What the command and the agents share: stores, requests, signed bundles. */

export { type AnswerOptions, answering } from './requests/answer.ts'
export { requestsOver } from './requests/ask.ts'
export { type Carrier, type Listening, messageLimit, type Reply, type Serve } from './requests/carrier.ts'
export type { Refusal, Silence } from './requests/errors.ts'
export { MemoryCarrier } from './requests/memory-carrier.ts'
export {
  type AgentKeys,
  type Answer,
  type AskerKeys,
  type AskOptions,
  type Question,
  type Received,
  type Requests,
  requestLimits,
  type Sealing,
  type Verified,
} from './requests/requests.ts'
export { type SocketOptions, socketCarrier } from './requests/socket/carrier.ts'
export { type ListenOptions, listenOnSocket } from './requests/socket/listen.ts'
export {
  type Damaged,
  storeBehind,
  storeClosed,
  storeConflict,
  storeDamaged,
  storeTooLarge,
  storeUncertain,
  storeUnreachable,
  type Unreachable,
} from './store/errors.ts'
export { MemoryContents, type MemoryOptions, memoryStore } from './store/memory.ts'
export { openSqliteStore, type SqliteOptions } from './store/sqlite/sqlite.ts'
export {
  type Cursor,
  type Entry,
  type Expected,
  type ResetReason,
  type Revision,
  type Selection,
  type Store,
  type StoreEvent,
  storeLimits,
  type WatchOptions,
  type Written,
} from './store/store.ts'
