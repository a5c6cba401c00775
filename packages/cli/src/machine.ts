/** From a word for a host to the host, for commands that need no project. */
import type { Host } from '@harmony-iac/core/host'
import { isThisMachine } from './this-machine.ts'

/** A host, and how the word for it was understood. */
export interface Machine {
  readonly host: Host
  readonly means: 'ssh' | 'container' | 'this-machine'
  /** For people: `kiosk, over SSH`. */
  readonly title: string
}

/** What ssh would be asked for, unless it is something nearer: a container of the engine here, or this machine. */
export async function machineOf(word: string): Promise<Machine> {
  const { inContainer, localHost, ssh } = await import('@harmony-iac/topologies')
  const [, container] = /^container:(.*)$/su.exec(word) ?? []
  if (container !== undefined)
    return { host: inContainer(container), means: 'container', title: `the container ${container}` }
  if (isThisMachine(word)) return { host: localHost(), means: 'this-machine', title: 'this machine' }
  return { host: ssh(word), means: 'ssh', title: `${word}, over SSH` }
}
