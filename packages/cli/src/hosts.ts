/** The host that a word on the command line means: this machine, a container, or one at the far end of SSH. */
import type { Host } from '@harmony-iac/core/host'
import type { Target } from './session.ts'
import { isThisMachine } from './this-machine.ts'

/** A host, and how the word for it was understood. */
export interface Machine {
  readonly host: Host
  readonly means: 'ssh' | 'container' | 'this-machine'
  /** For people: `kiosk, over SSH`. */
  readonly title: string
}

/**
 * What ssh would be asked for, unless it is something nearer: a container of the engine here, or this machine.
 * @throws HarmonyError `invalid-value` when the word names none.
 */
export async function machineOf(word: string): Promise<Machine> {
  const { inContainer, localHost, ssh } = await import('@harmony-iac/topologies')
  const [, container] = /^container:(.*)$/su.exec(word) ?? []
  if (container !== undefined)
    return { host: inContainer(container), means: 'container', title: `the container ${container}` }
  if (isThisMachine(word)) return { host: localHost(), means: 'this-machine', title: 'this machine' }
  return { host: ssh(word), means: 'ssh', title: `${word}, over SSH` }
}

/**
 * The host itself.
 * @throws HarmonyError `invalid-value` when the word names none.
 */
export async function hostOf(word: string): Promise<Host> {
  return (await machineOf(word)).host
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
