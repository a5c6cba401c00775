/**
 * A plan is data: the steps, why each is needed, what differs, in which order, and a digest over all of it. What is
 * shown is what is executed; each step's precondition is the digest of the `from` values that were shown.
 */
import type { Json } from '../canonical.ts'
import { digest } from '../canonical.ts'
import type { Claim } from '../claims.ts'

/** What a step does. */
export type Action =
  /** The thing is not there yet. */
  | 'create'
  /** It is changed in place. */
  | 'update'
  /** It is taken away and made anew. */
  | 'replace'
  /** It is as wanted; only its reactions run. */
  | 'react'
  /** It left the project and is removed. */
  | 'remove'
  /** It left the project; the ledger forgets it, the thing stays (`retain`). */
  | 'forget'
  /** Unclaimed things in a folder that is kept pure. */
  | 'purge'
  /** Whether it changes is known only once what it depends on is done. */
  | 'deferred'
  /** Nothing to do. */
  | 'unchanged'

/** A difference as it may be shown: secrets masked, large content by digest. */
export interface ShownDifference {
  readonly path: string
  readonly from: Json
  readonly to: Json
  readonly settling: boolean
  readonly replaces: boolean
  /** The values are secret; `from` and `to` are masks. */
  readonly masked: boolean
}

/** A reaction that is due. */
export interface DueReaction {
  readonly name: string
  /** Addresses of the causes that changed. */
  readonly causes: readonly string[]
}

/** One step of a plan. */
export interface Step {
  readonly address: string
  readonly kind: string
  readonly action: Action
  readonly differences: readonly ShownDifference[]
  /** Sentences for people: why this step is in the plan beside its differences. */
  readonly reasons: readonly string[]
  readonly reactions: readonly DueReaction[]
  /** Addresses of steps that come before this one, changing or not. */
  readonly after: readonly string[]
  /** Of the `from` values; absent for deferred steps. */
  readonly precondition: string | undefined
  /** Digest of the spec with its assets, without its secrets' values. */
  readonly spec: string
  /** The composite that this leaf belongs to. */
  readonly parent: string | undefined
  /** The ledger knows the thing by this earlier address. */
  readonly renamedFrom: string | undefined
  /** It exists, is not ours, and is taken over: silently when as wanted, otherwise because of `adopt`. */
  readonly adopts: boolean
  /** Nothing may have to change, but the ledger is brought up to date (a takeover, a rename, an option, unfinished work). */
  readonly records: boolean
  /** Asked for with `--replace`: the thing is taken away first although it is as wanted. */
  readonly forced: boolean
  /** What a purge deletes, exactly. */
  readonly surplus: readonly { readonly claim: Claim; readonly fingerprint: string }[]
}

/** Why nothing of this plan may run until a person has decided. */
export interface Conflict {
  readonly type: 'exists' | 'protected' | 'mass-removal' | 'claimed' | 'unknown-kind' | 'reference'
  readonly address: string
  readonly message: string
  readonly hint: string
  readonly differences: readonly ShownDifference[]
}

/** A Score that could not be observed. */
export interface PlanFailure {
  readonly address: string
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
}

/** How many steps do what; leaf Scores are counted. */
export interface PlanCounts {
  readonly create: number
  /** Updates, replacements, reactions and deferred steps. */
  readonly update: number
  /** Removals, forgotten things, and each path of a purge. */
  readonly remove: number
  readonly unchanged: number
}

/** What would be done to one topology, and why. */
export interface Plan {
  readonly harmony: 1
  readonly project: string
  /** Absent before the first apply. */
  readonly lineage: string | undefined
  /** Everything that the project owns is to go, wanted or not. */
  readonly destroys: boolean
  readonly topology: string
  /** {@link StateHome.description}. */
  readonly home: string
  readonly steps: readonly Step[]
  readonly conflicts: readonly Conflict[]
  readonly failures: readonly PlanFailure[]
  /** Sentences: targets that pulled in their dependencies, unfinished work that is completed. */
  readonly notes: readonly string[]
  /** sha256 over everything above. */
  readonly digest: string
}

// Plans that this process made and that are therefore what their digest says; not to be computed twice for thousands.
const sealed = new WeakSet<Plan>()

/** Seals a plan with its digest. */
export function sealPlan(plan: Omit<Plan, 'digest' | 'harmony'>): Plan {
  const body = { harmony: 1 as const, ...plan }
  let known: string | undefined
  const made = Object.freeze({
    ...body,
    // Only plans that are saved or shown to a machine are asked for it.
    get digest() {
      known ??= digestOfPlan(body)
      return known
    },
  })
  sealed.add(made)
  return made
}

/** Whether a plan is what its digest says. */
export function isSealed(plan: Plan): boolean {
  return sealed.has(plan) || plan.digest === digestOfPlan(plan)
}

/** The digest that a plan must have: of ten thousand unchanged steps it covers the addresses and specs only. */
function digestOfPlan(plan: Omit<Plan, 'digest'> & { readonly digest?: string }): string {
  const { steps, digest: _, ...rest } = plan
  const idle = steps.filter((step) => step.action === 'unchanged' && !step.records)
  return digest({
    ...rest,
    steps: steps.filter((step) => step.action !== 'unchanged' || step.records),
    unchanged: idle.map((step) => `${step.address} ${step.spec}`).join('\n'),
  })
}

/** Whether carrying out a plan writes anything, if only to the ledger. */
export function changes(plan: Plan): boolean {
  return plan.steps.some((step) => step.action !== 'unchanged' || step.records)
}

/** Whether a plan changes anything besides the ledger: then a person is asked first. */
export function acts(plan: Plan): boolean {
  return plan.steps.some((step) => step.action !== 'unchanged')
}

/** Whether a step takes away what the project no longer has. */
export function isRemoval(step: Step): boolean {
  return step.action === 'remove' || step.action === 'forget'
}

/** Counts what a plan does. */
export function countPlan(plan: Plan): PlanCounts {
  let create = 0
  let update = 0
  let remove = 0
  let unchanged = 0
  for (const { action, surplus } of plan.steps)
    switch (action) {
      case 'create':
        create++
        break
      case 'update':
      case 'replace':
      case 'react':
      case 'deferred':
        update++
        break
      case 'remove':
      case 'forget':
        remove++
        break
      case 'purge':
        remove += surplus.length
        break
      case 'unchanged':
        unchanged++
        break
    }
  return { create, update, remove, unchanged }
}
