/// <reference types="node" preserve="true" />
/** The vocabulary of capabilities: one file per industry concept, interface and token, no implementation. */
export * from './files.ts'
export * from './packages.ts'
export * from './services.ts'
export * from './shell.ts'
export * from './system.ts'
export * from './users.ts'
