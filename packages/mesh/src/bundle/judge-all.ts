/**
 * All bundles of a list at once. Each is judged by itself, except that one may want what another one has just let go: so
 * who was refused for a claim is judged again as long as others are accepted. Of two that want one thing anew, the first in the list
 * gets it, on every device alike.
 */
import { type Acceptance, type JudgeContext, judge, type Verdict } from './judge.ts'

/** Judges envelopes; the verdicts are in their order. Never throws. */
export function judgeAll(envelopes: readonly Uint8Array[], context: JudgeContext): readonly Verdict[] {
  const verdicts: Verdict[] = []
  let now = context
  let open = envelopes.map((_, at) => at)
  for (let accepted = -1; accepted !== 0 && open.length > 0; ) {
    accepted = 0
    const again: number[] = []
    for (const at of open) {
      const verdict = judge(envelopes[at] ?? new Uint8Array(), now)
      verdicts[at] = verdict
      if (verdict.verdict === 'accepted') {
        accepted++
        now = after(now, verdict)
      } else if (verdict.verdict === 'rejected' && verdict.rejection.reason === 'claim-conflict')
        again.push(at)
    }
    open = again
  }
  return verdicts
}

/** What an agent knows once it has accepted this. */
export function after(context: JudgeContext, { bundle, digest, scores }: Acceptance): JudgeContext {
  const { project, lineage, generation } = bundle
  const claimants = context.claimants.filter((each) => each.project !== project)
  for (const reading of scores)
    if (reading.is === 'known') claimants.push({ project, address: reading.wire.id, claims: reading.claims })
  const accepted = new Map(context.accepted).set(project, { lineage, generation, digest })
  return { ...context, accepted, claimants }
}
