/**
 * Challenges of one run of an agent. They are not remembered when they are given, or whoever can reach the agent could
 * make it forget those of others; a MAC says that they are ours, and only what a trusted signer has used is remembered.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** How long a challenge can be used, in milliseconds: the time between asking for it and asking with it. */
const lifetime = 60_000

/** Gives them and takes each back once. */
export class Challenges {
  readonly #key = randomBytes(32)
  readonly #now: () => number
  /** Those that were used, and until when that has to be known; the oldest first. */
  readonly #used = new Map<string, number>()

  /** @param now Milliseconds of a clock that only goes on. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  give(): Uint8Array {
    const body = Buffer.alloc(24, randomBytes(24))
    body.writeDoubleBE(this.#now())
    return Buffer.concat([body, this.#mac(body)])
  }

  /** Uses it up, or says why it cannot be used. */
  take(challenge: Uint8Array): 'taken' | 'stale' | 'replayed' {
    const body = Buffer.from(challenge.subarray(0, 24))
    const mac = challenge.subarray(24)
    if (body.length !== 24 || mac.length !== 32 || !timingSafeEqual(mac, this.#mac(body))) return 'stale'
    const now = this.#now()
    for (const [known, until] of this.#used) {
      if (until > now) break
      this.#used.delete(known)
    }
    const until = body.readDoubleBE() + lifetime
    if (until <= now) return 'stale'
    const text = Buffer.from(challenge).toString('base64url')
    if (this.#used.has(text)) return 'replayed'
    // As long from now as it could be used at most, so that the map stays in order.
    this.#used.set(text, now + lifetime)
    return 'taken'
  }

  #mac(body: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(body).digest()
  }
}
