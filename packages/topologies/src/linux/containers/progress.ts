/** What the engine tells while it fetches or reads images. Its answer begins with status 200: whether it went well comes last. */
import type { PullOptions } from '@harmony-iac/core/capabilities'
import { EngineError } from './engine-error.ts'
import { jsonLines } from './json-lines.ts'

interface Line {
  readonly status?: string
  readonly id?: string
  readonly stream?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
  readonly error?: string
}

/** Follows a pull to its end. @throws EngineError with what the engine says last, if that is an error. */
export async function followPull(
  stream: AsyncIterable<Uint8Array>,
  onProgress: PullOptions['onProgress'],
): Promise<void> {
  const layers = new Map<string, { done: number; total: number }>()
  let ended = false
  for await (const { status = '', id, progressDetail, error } of jsonLines<Line>(stream)) {
    if (error !== undefined) throw new EngineError(500, error)
    if (/^Status: /.test(status)) ended = true
    if (id === undefined || status !== 'Downloading') continue
    const { current = 0, total = 0 } = progressDetail ?? {}
    layers.set(id, { done: current, total })
    const sum = (what: 'done' | 'total') => [...layers.values()].reduce((all, each) => all + each[what], 0)
    onProgress?.('fetching the image', sum('done'), sum('total'))
  }
  if (!ended) throw Object.assign(new Error('the answer of the engine broke off'), { code: 'ECONNRESET' })
}

/** The names, or the ids, of what was in an archive. @throws EngineError when it could not be read. */
export async function loadedImages(stream: AsyncIterable<Uint8Array>): Promise<readonly string[]> {
  const loaded: string[] = []
  for await (const { stream: said = '', error } of jsonLines<Line>(stream)) {
    if (error !== undefined) throw new EngineError(500, error)
    const name = /^Loaded image(?: ID)?: (\S+)/.exec(said)?.[1]
    if (name !== undefined) loaded.push(name)
  }
  return loaded
}
