/// <reference types="node" preserve="true" />
/** The command `harmony`, for programs that start it in their own process. */
export { main } from './main.ts'
