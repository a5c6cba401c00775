/** How large things may be. Part of the protocol: whoever writes more is refused before anything is parsed. */

/** Content of at most this many bytes travels within its bundle. */
export const inlineContent: number = 64 * 1024
/** An envelope that would make the list of a device larger than this travels in chunks. */
export const fullList: number = 256 * 1024
/** The list of a device, itself one value of a store. */
export const largestList: number = 512 * 1024
/** The size of a chunk, the last one excepted. NATS takes messages of 1 MiB, and devices have little memory. */
export const chunkSize: number = 128 * 1024
/** Content, however it travels: as much as its manifest has room for. */
export const largestContent: number = 7_000 * chunkSize
/** An envelope, with what is inline; a bundle of 10,000 Scores has about 4 MiB. */
export const largestEnvelope: number = 32 * 1024 * 1024
/** The manifest of content that travels in chunks, itself one value of a store. */
export const largestManifest: number = 512 * 1024
/** The envelope of a request: a question of 256 KiB in base64, and its signatures. */
export const largestRequest: number = 512 * 1024
/** Signatures of an envelope. */
export const mostSignatures = 8
/** How deep a document may be nested. */
export const deepest = 100
