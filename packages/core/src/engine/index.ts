/// <reference types="node" preserve="true" />
/** The engine, for surfaces that conduct projects: the command line and the agent. */

export { type Claimant, ClaimIndex, deriveGraph, type Graph } from '../plan/graph.ts'
export { expand, type Leaf } from '../plan/leaf.ts'
export { decodeScore, encodeScore, type SerializedScore } from '../wire.ts'
export * from './contract.ts'
export { openMaestro } from './maestro.ts'
