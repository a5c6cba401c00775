/**
 * Where an agent takes late values from: the bundle that named them. A secret is opened when it is used and kept nowhere;
 * in the specs it stays a reference, so that everything which masks secrets masks it here too.
 */
import type { Content } from '@harmony-iac/core'
import type { Sources } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { SealingKey } from '../keys/private-key.ts'
import { openBox } from '../keys/sealed-box.ts'
import { aboutSecret, type Bundle } from './bundle.ts'
import { joinContent, type Manifest } from './chunks.ts'

/** How an agent gets at content that travels in chunks. It answers from what it has fetched before, if it has. */
export interface ChunkSource {
  manifest(content: { readonly sha256: string; readonly size: number }): Promise<Manifest>
  chunk(manifest: Manifest, index: number): Promise<Uint8Array>
}

/** The sources of an accepted bundle. */
export function bundledSources(bundle: Bundle, key: SealingKey, chunks: ChunkSource): Sources {
  const { assets = {}, sealed = {} } = bundle
  return {
    async secret({ $secret: name }): Promise<string> {
      const box = Object.hasOwn(sealed, name) ? sealed[name] : undefined
      if (!box)
        throw new HarmonyError('secret-missing', `the secret ${name} did not come with the bundle`, {
          hint: 'ship again',
        })
      return openBox(key, 'bundle secret', aboutSecret(bundle, name), box).toString('utf8')
    },
    async asset(path: string): Promise<Content> {
      const asset = Object.hasOwn(assets, path) ? assets[path] : undefined
      if (!asset)
        throw new HarmonyError('asset-unreadable', `the content ${path} did not come with the bundle`, {
          hint: 'ship again',
        })
      const { sha256, size, content } = asset
      return {
        sha256,
        size,
        // What is inline was compared with its digest when the bundle was accepted.
        open: () => (content === undefined ? fetched(asset, chunks) : inline(content)),
      }
    },
  }
}

async function* inline(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content, 'base64')
}

async function* fetched(
  id: { readonly sha256: string; readonly size: number },
  chunks: ChunkSource,
): AsyncGenerator<Uint8Array> {
  const manifest = await chunks.manifest(id)
  yield* joinContent(manifest, (index) => chunks.chunk(manifest, index))
}
