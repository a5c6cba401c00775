/// <reference types="node" preserve="true" />
/** Keys that sign, keys that secrets are sealed to, and whom an agent trusts. */

export { readKeyFile, writeKeyFile } from './key-files.ts'
export {
  isSignedBy,
  newKey,
  type PrivateKey,
  parsePrivateKey,
  type SealingKey,
  type SigningKey,
  signBytes,
} from './private-key.ts'
export { type KeyAlgorithm, type PublicKey, parsePublicKey, publicKeyLine } from './public-key.ts'
export { agentKeys, askerKeys, requestType } from './request-keys.ts'
export { openBox, type Purpose, type SealedBox, sealTo } from './sealed-box.ts'
export { isPast, maySignFor, type Signature, signersOf, type TrustedKey } from './trust.ts'
export { readTrustedKeys, type TrustedKeyEntry, trustedKeysSchema } from './trusted-keys.ts'
