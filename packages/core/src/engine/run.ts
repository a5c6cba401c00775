/** What a kind is given to work with, and what must not get out of it. */
import type { Json } from '../canonical.ts'
import { toHarmonyError } from '../errors.ts'
import type { Difference, Look, Run } from '../interpret.ts'
import { redacted } from './observe.ts'
import type { Pass } from './pass.ts'
import type { ResolvedSpec } from './resolve.ts'

/** Whatever a kind throws must not carry a secret out. */
export async function guarded(resolved: ResolvedSpec, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (thrown) {
    if (resolved.tainted.size === 0) throw thrown
    throw redacted(toHarmonyError(thrown), resolved)
  }
}

/** What a kind gets to work with. */
export function makeRun(
  pass: Pass,
  look: Look,
  { redact }: Pick<ResolvedSpec, 'redact'>,
  observed: { readonly state: unknown; readonly differences: readonly Difference[] },
  remember: (memory: Json) => void,
): Run<unknown> {
  const { emit, topology } = pass.context
  const to = { topology: topology.name, address: look.address }
  return {
    ...look,
    ...observed,
    progress: (message, done, total) =>
      emit({ type: 'progress', ...to, message: redact(message), done, total }),
    note: (message) => emit({ type: 'note', ...to, message: redact(message) }),
    output: (stream, text) => emit({ type: 'output', ...to, stream, text: redact(text) }),
    audit: (entry) =>
      emit({
        type: 'audit',
        ...to,
        entry: JSON.parse(redact(JSON.stringify(entry))) as { [key: string]: Json },
      }),
    remember,
  }
}
