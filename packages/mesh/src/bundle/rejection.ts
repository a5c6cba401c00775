/** Why a bundle is not accepted: data first, words at the edge. */
import { type Claim, claim as claims } from '@harmony-iac/core'
import type { Violation } from './policy.ts'

/** A reason, with what a person or a program has to know about it. */
export type Rejection =
  | { readonly reason: 'too-large'; readonly size: number; readonly limit: number }
  | { readonly reason: 'garbled'; readonly detail: string }
  /** It has no signature at all. */
  | { readonly reason: 'unsigned' }
  /** None of its signatures names a key that is trusted here. The names are not authenticated. */
  | { readonly reason: 'unknown-key'; readonly keyids: readonly string[] }
  /** It names a trusted key, which did not sign this: it was changed on the way, or forged. */
  | { readonly reason: 'bad-signature'; readonly keyids: readonly string[] }
  /** Something else was signed. */
  | { readonly reason: 'not-a-bundle'; readonly payloadType: string }
  /** It is of a newer form than this agent reads. */
  | { readonly reason: 'newer-form'; readonly form: number }
  | { readonly reason: 'wrong-audience'; readonly agent: string }
  | { readonly reason: 'key-not-for-project'; readonly key: string; readonly project: string }
  | { readonly reason: 'key-past'; readonly key: string; readonly until: number; readonly floor: number }
  /** Another project with this name is here already. */
  | { readonly reason: 'other-lineage'; readonly here: string; readonly lineage: string }
  /** Not higher than the last accepted one: replayed, restored from a backup, or made by two who did not know of each other. */
  | { readonly reason: 'old-generation'; readonly generation: number; readonly last: number }
  | { readonly reason: 'expired'; readonly expiresAt: string; readonly floor: number }
  /** Two Scores with one address. */
  | { readonly reason: 'duplicate-address'; readonly addresses: readonly string[] }
  /** Secrets or contents that its specs name do not come with it, or are sealed to another key. */
  | {
      readonly reason: 'incomplete'
      readonly secrets: readonly string[]
      readonly assets: readonly string[]
      /** Sealed to a key that this agent does not have. */
      readonly otherKey: readonly string[]
    }
  | { readonly reason: 'policy'; readonly violations: readonly Violation[] }
  /** Another project, or another Score of it, has what this one wants. */
  | { readonly reason: 'claim-conflict'; readonly conflicts: readonly ClaimConflict[] }

/** Two who claim one thing. */
export interface ClaimConflict {
  readonly address: string
  readonly claim: Claim
  /** `undefined` for the bundle's own. */
  readonly project: string | undefined
  readonly other: string
}

/** A rejection in words: what happened, and what to do. */
export function describeRejection(rejection: Rejection): { readonly message: string; readonly hint: string } {
  switch (rejection.reason) {
    case 'too-large':
      return {
        message: `it has ${rejection.size} bytes, and at most ${rejection.limit} are taken`,
        hint: 'put large content into files and name them with asset(…)',
      }
    case 'garbled':
      return {
        message: `it cannot be read: ${rejection.detail}`,
        hint: 'ship again; if it stays, find out who else writes',
      }
    case 'unsigned':
      return { message: 'it is not signed', hint: 'ship it with harmony ship' }
    case 'unknown-key':
      return {
        message: `no key that is trusted here has signed it (${names(rejection.keyids) || 'it names none'})`,
        hint: 'have the agent trust the key: harmony keys trust',
      }
    case 'bad-signature':
      return {
        message: `its signature is not one of ${names(rejection.keyids)}: it was changed, or forged`,
        hint: 'ship again; if it stays, find out who else writes to the store',
      }
    case 'not-a-bundle':
      return {
        message: `what was signed is ${rejection.payloadType}, not a bundle`,
        hint: 'ship it with harmony ship',
      }
    case 'newer-form':
      return {
        message: `it has the form ${rejection.form}, and only 1 is known here`,
        hint: 'upgrade the agent',
      }
    case 'wrong-audience':
      return {
        message: `it is for the agent ${rejection.agent}`,
        hint: 'ship it to the agent that it is for',
      }
    case 'key-not-for-project':
      return {
        message: `the key ${rejection.key} may not sign for the project ${rejection.project}`,
        hint: 'sign with another key, or permit it in the configuration of the agent',
      }
    case 'key-past':
      return {
        message: `the key ${rejection.key} was trusted until ${isoTime(rejection.until)} only`,
        hint: 'sign with the key that took its place',
      }
    case 'other-lineage':
      return {
        message: 'another project with this name is here already',
        hint: 'give one of the two another name; if this is the same project, restore its harmony.lock',
      }
    case 'old-generation':
      return {
        message: `it is generation ${rejection.generation}, and ${rejection.last} was accepted before`,
        hint: 'ship again: a rollback is a new generation with older content',
      }
    case 'expired':
      return { message: `it expired at ${rejection.expiresAt}`, hint: 'ship again' }
    case 'duplicate-address':
      return {
        message: `it declares twice: ${names(rejection.addresses)}`,
        hint: 'ship it with harmony ship',
      }
    case 'incomplete':
      return describeIncomplete(rejection)
    case 'policy':
      return {
        message: `the policy of this agent does not permit: ${names(rejection.violations.map(describeViolation))}`,
        hint: 'change the Scores, or the policy in the configuration of the agent',
      }
    case 'claim-conflict':
      return {
        message: names(
          rejection.conflicts.map(
            ({ address, claim, project, other }) =>
              `${address} claims ${claims.describeClaim(claim)}, and so does ${project === undefined ? '' : `${project}/`}${other}`,
          ),
        ),
        hint: 'one thing on a host has one owner: remove one of the two Scores',
      }
  }
}

function describeIncomplete(rejection: Extract<Rejection, { reason: 'incomplete' }>) {
  const { secrets, assets, otherKey } = rejection
  const parts = [
    ...(secrets.length > 0 ? [`the secrets ${names(secrets)} are not in it`] : []),
    ...(assets.length > 0 ? [`the contents ${names(assets)} are not in it`] : []),
    ...(otherKey.length > 0 ? [`${names(otherKey)} were sealed to another key than this agent's`] : []),
  ]
  return {
    message: parts.join('; '),
    hint: otherKey.length > 0 ? 'ship again with the sealing key that this agent tells' : 'ship again',
  }
}

function describeViolation(violation: Violation): string {
  switch (violation.violation) {
    case 'kind-not-allowed':
      return `${violation.address} (the kind ${violation.kind})`
    case 'path-outside-roots':
      return `${violation.address} (the path ${violation.path})`
    case 'shell-off':
      return `${violation.address} (it runs programs)`
  }
}

/** The first few; the rest is data. */
function names(all: readonly string[]): string {
  const shown = all.slice(0, 5).join(', ')
  return all.length > 5 ? `${shown} and ${all.length - 5} more` : shown
}

function isoTime(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString()
}
