/** References to images, as the engine's requests take them. Pure. */
import type { RegistryLogin } from '@harmony-iac/core/capabilities'

interface Parts {
  readonly name: string
  readonly tag: string | undefined
  readonly digest: string | undefined
}

function partsOf(reference: string): Parts {
  const [, named = reference, digest] = /^(.*?)(?:@(sha256:[0-9a-f]+))?$/.exec(reference) ?? []
  const [, name = named, tag] = /^(.*?)(?::([^:/]+))?$/.exec(named) ?? []
  return { name, tag, digest }
}

/** As it stands in a path: with a digest the tag says nothing. The names of images have slashes in paths, too. */
export function lookUpName(reference: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(reference)) return reference
  const { name, tag, digest } = partsOf(reference)
  if (digest !== undefined) return `${name}@${digest}`
  return tag === undefined ? name : `${name}:${tag}`
}

/** What `POST /images/create` takes. Without a tag it would fetch all of them. */
export function pullQuery(reference: string): Readonly<Record<string, string>> {
  const { name, tag = 'latest', digest } = partsOf(reference)
  return digest === undefined ? { fromImage: name, tag } : { fromImage: name, tag: digest }
}

/** What `POST /images/ID/tag` takes. */
export function tagQuery(reference: string): Readonly<Record<string, string>> {
  const { name, tag = 'latest' } = partsOf(reference)
  return { repo: name, tag }
}

/** The header that says who asks. */
export function registryAuth(
  reference: string,
  login: RegistryLogin | undefined,
): Readonly<Record<string, string>> {
  const [first = '', ...rest] = reference.split('/')
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  const serveraddress = isHost ? first : 'https://index.docker.io/v1/'
  const auth = login ? { ...login, serveraddress } : {}
  // The alphabet for addresses, with padding: without it the header counts for nothing, and no engine says so.
  const encoded = Buffer.from(JSON.stringify(auth)).toString('base64')
  return { 'x-registry-auth': encoded.replaceAll('+', '-').replaceAll('/', '_') }
}
