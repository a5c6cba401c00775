/**
 * When a reaction is due. A reaction ("restart when the configuration changes") is not an event that can be missed but
 * a comparison: the ledger holds a digest of the causes that it last ran with; it is due when that differs from the
 * causes as they are now. So it shows in the plan, survives a crash between change and restart, and many causes make
 * one run. A cause's revision goes up when a change of it begins, so that a repaired drift counts as well although the
 * content is what it was.
 */
import { digest } from '../canonical.ts'
import type { LedgerRecord } from '../ledger/record.ts'
import type { Leaf } from '../plan/leaf.ts'
import type { DueReaction } from '../plan/plan.ts'

/** A cause as it is now. */
export interface Cause {
  readonly address: string
  /** Of its spec. */
  readonly digest: string
  readonly revision: number
  /** A step of this plan is going to change it. */
  readonly changing: boolean
}

/** The digest that is recorded when a reaction has run, or has been satisfied otherwise. */
export function digestOfCauses(causes: readonly Cause[]): string {
  return digest(causes.map((cause) => [cause.address, cause.digest, cause.revision]))
}

/**
 * The reactions of a leaf that are due. A thing that is new starts with what is there, so its caller asks for none. One that
 * was there before us is taken over as it runs: whatever we have ever changed of its causes it may not have met, be it in a
 * pass that was killed before it got this far.
 */
export function dueReactions(
  leaf: Leaf,
  record: LedgerRecord | undefined,
  causeOf: (address: string) => Cause | undefined,
): readonly DueReaction[] {
  const due: DueReaction[] = []
  for (const [name, addresses] of Object.entries(leaf.options.reactions)) {
    const causes = causesOf(addresses, causeOf)
    const changing = causes.filter((cause) => cause.changing || (!record && cause.revision > 0))
    if (changing.length > 0) due.push({ name, causes: changing.map((cause) => cause.address) })
    else if (record && record.reactions[name]?.causes !== digestOfCauses(causes))
      due.push({ name, causes: addresses })
  }
  return due
}

/** The causes of one reaction that exist in this deployment. */
export function causesOf(
  addresses: readonly string[],
  causeOf: (address: string) => Cause | undefined,
): readonly Cause[] {
  return addresses.flatMap((address) => causeOf(address) ?? [])
}
