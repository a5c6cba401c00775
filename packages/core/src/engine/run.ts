/** What a kind is given to work with, and what must not get out of it. */
import type { Json } from '../canonical.ts'
import { toHarmonyError } from '../errors.ts'
import type { Difference, Look, Run } from '../interpret.ts'
import { redactAll, redacted } from './observe.ts'
import type { Pass } from './pass.ts'
import type { ResolvedSpec } from './resolve.ts'

/** What has no secrets: a removal, whose spec is not resolved. */
export const nothingSecret: Pick<ResolvedSpec, 'redact' | 'tainted'> = {
  redact: (text) => text,
  tainted: new Set(),
}

/** What a kind gets to work with, and for the engine the end of it. */
export interface Work extends Run<unknown> {
  /** Lets out what was held back because more might have followed. */
  flush(): void
}

/** Whatever a kind throws must not carry a secret out. */
export async function guarded(
  resolved: ResolvedSpec,
  run: Work,
  work: (run: Work) => Promise<void>,
): Promise<void> {
  try {
    await work(run)
  } catch (thrown) {
    if (resolved.tainted.size === 0) throw thrown
    throw redacted(toHarmonyError(thrown), resolved)
  } finally {
    run.flush()
  }
}

/** What a kind gets to work with. */
export function makeRun(
  pass: Pass,
  look: Look,
  { redact, tainted }: Pick<ResolvedSpec, 'redact' | 'tainted'>,
  observed: { readonly state: unknown; readonly differences: readonly Difference[] },
  remember: (memory: Json) => void,
  standBy: () => void = () => undefined,
): Work {
  const { emit, topology } = pass.context
  const tails = { stdout: '', stderr: '' }
  const to = { topology: topology.name, address: look.address }
  return {
    ...look,
    ...observed,
    progress: (message, done, total) =>
      emit({ type: 'progress', ...to, message: redact(message), done, total }),
    note: (message) => emit({ type: 'note', ...to, message: redact(message) }),
    output: (stream, text) => {
      const whole = tails[stream] + text
      // A secret may come in two pieces: while there are any, only whole lines go out.
      const cut = tainted.size > 0 ? whole.lastIndexOf('\n') + 1 : whole.length
      tails[stream] = whole.slice(cut)
      if (cut > 0) emit({ type: 'output', ...to, stream, text: redact(whole.slice(0, cut)) })
    },
    flush: () => {
      for (const stream of ['stdout', 'stderr'] as const) {
        if (tails[stream]) emit({ type: 'output', ...to, stream, text: redact(tails[stream]) })
        tails[stream] = ''
      }
    },
    audit: (entry) => emit({ type: 'audit', ...to, entry: redactAll(entry, redact) as typeof entry }),
    standBy,
    remember,
  }
}
