/** The host that a word on the command line means: this machine, or one at the far end of SSH. */
import type { Host } from '@harmony-iac/core/host'
import type { Target } from './session.ts'
import { isThisMachine } from './this-machine.ts'

/**
 * The host itself.
 * @throws HarmonyError `invalid-value` when the word names none.
 */
export async function hostOf(word: string): Promise<Host> {
  const { localHost, ssh } = await import('@harmony-iac/topologies')
  return isThisMachine(word) ? localHost() : ssh(word)
}

/** The host with the verbs of everything that its ledger may speak of; nothing is wanted of it. */
export async function hostTarget(word: string): Promise<Target> {
  const [host, { PiTopology }] = await Promise.all([
    hostOf(word),
    import('@harmony-iac/topologies'),
    import('@harmony-iac/scores'),
  ])
  return { topology: new PiTopology({ host, shell: true }), scores: [] }
}
