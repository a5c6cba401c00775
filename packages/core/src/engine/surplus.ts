/**
 * What is in a folder that is to be kept pure, although nobody wants it: listed by the kind, reduced by what any ledger
 * on the host or any Score of the deployment claims.
 */
import { type Claim, folderOf } from '../claims.ts'
import type { Surplus } from '../interpret.ts'
import type { Claimant } from '../plan/graph.ts'

/** Tells whether a path belongs to somebody, seen from one folder that is kept pure. */
export class Belongings {
  /** Claimed paths, and every folder above them. */
  readonly #needed = new Set<string>()
  readonly #claimed = new Map<string, Claimant>()
  readonly #trees = new Set<string>()

  constructor(claimants: Iterable<Claimant>) {
    for (const claimant of claimants)
      for (const claim of claimant.claims) {
        if (claim.type === 'name') continue
        if (claim.type === 'tree') this.#trees.add(claim.path)
        this.#claimed.set(claim.path, claimant)
        for (let at = claim.path; !this.#needed.has(at); at = folderOf(at)) this.#needed.add(at)
      }
  }

  /** Of what a folder's kind listed, what nobody wants: not claimed, and not below what somebody else claims. */
  unwanted(surplus: readonly Surplus[], folder: Claimant): readonly Surplus[] {
    return surplus.filter(({ claim }) => claim.type !== 'name' && !this.#isWanted(claim, folder))
  }

  #isWanted(claim: Exclude<Claim, { type: 'name' }>, folder: Claimant): boolean {
    if (this.#needed.has(claim.path)) return true
    // The nearest claim above decides: what is below another managed folder is that folder's business.
    for (let at = folderOf(claim.path); ; at = folderOf(at)) {
      const owner = this.#claimed.get(at)
      if (owner) return owner.address !== folder.address || this.#trees.has(at)
      if (at === '/') return false
    }
  }
}
