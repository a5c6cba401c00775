/**
 * Shares out the sessions of one connection. sshd allows ten (MaxSessions). Three of them last as long as the connection:
 * files, the lock, the syncing of folders; one is left for what ends others. The rest is for programs, which end by
 * themselves, and for sockets that are reached by a program, which may not end before the connection does: so these must
 * never take all, or no program would run again.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { SessionUse } from '../sessions.ts'

const shared = 6
// Two of a bus, three of a container engine.
const sockets = 5
/** Sockets are given back only by mistake: who waits longer than this while all of them are open is told. */
const socketWaitMs = 10_000

interface Waiting {
  readonly use: 'program' | 'socket'
  begin(): void
}

/** The sessions of one connection. */
export class SessionSlots {
  readonly #taken = { program: 0, socket: 0 }
  readonly #waiting: Waiting[] = []

  /**
   * Waits until a session may be opened.
   * @throws HarmonyError `unreachable` when so many sockets are open already that another one cannot be.
   */
  async take(use: SessionUse): Promise<void> {
    if (use === 'lasting' || use === 'urgent') return
    if (!this.#fits(use)) await this.#turn(use)
    else this.#taken[use]++
  }

  giveBack(use: SessionUse): void {
    if (use === 'lasting' || use === 'urgent') return
    this.#taken[use]--
    for (const waiting of [...this.#waiting]) {
      if (!this.#fits(waiting.use)) continue
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      this.#taken[waiting.use]++
      waiting.begin()
    }
  }

  /** Lets everybody go on: the connection has ended, and what they do next says so. */
  end(): void {
    for (const { begin } of this.#waiting.splice(0)) begin()
  }

  #fits(use: 'program' | 'socket'): boolean {
    const { program, socket } = this.#taken
    return program + socket < shared && (use === 'program' || socket < sockets)
  }

  #turn(use: 'program' | 'socket'): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const waiting: Waiting = {
        use,
        begin() {
          clearTimeout(timer)
          resolve()
        },
      }
      this.#waiting.push(waiting)
      if (use === 'program') return
      const judge = () => {
        // It is programs that are in the way: they end by themselves, however long they take.
        if (this.#taken.socket < sockets) {
          timer = setTimeout(judge, socketWaitMs)
          return
        }
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(
          new HarmonyError('unreachable', `no more than ${sockets} sockets of one host can be open by sudo`, {
            hint: 'log in as root, or as a user who may open the socket',
          }),
        )
      }
      timer = setTimeout(judge, socketWaitMs)
    })
  }
}
