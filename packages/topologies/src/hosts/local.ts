/** This machine, worked on directly through the kernel. */
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { HarmonyError } from '@harmony-iac/core'
import type { Host, HostFacts } from '@harmony-iac/core/host'
import { localFiles } from './local-files.ts'
import type { Probe } from './local-folder.ts'
import { lockLocally } from './local-lock.ts'
import { thisMachine } from './this-machine.ts'

/** Options of {@link localHost}. */
export interface LocalHostOptions {
  /** For fault tests: told of every system call that changes something. */
  readonly probe?: Probe | undefined
}

/** This machine as a {@link Host}. Opens nothing before it is used. */
export function localHost(options: LocalHostOptions = {}): Host {
  return {
    name: thisMachine,
    files: localFiles(options.probe),
    async facts() {
      return localFacts()
    },
    // Loaded when used, like whatever else most passes do without.
    exec: async (argv, how) => (await import('./local-exec.ts')).execLocally(argv, how),
    async dial(socketPath) {
      const { connect } = await import('node:net')
      return new Promise((resolve, reject) => {
        const socket = connect(socketPath, () => {
          socket.off('error', refuse)
          resolve(socket)
        })
        const refuse = (error: Error) => {
          reject(
            new HarmonyError('unreachable', `${socketPath}: nobody answers at this socket`, {
              hint: 'start the service that listens there, or check that you may connect to it',
              cause: error,
            }),
          )
        }
        socket.once('error', refuse)
      })
    },
    lock: (path, options) => lockLocally(path, options),
    async close() {},
  }
}

/** The facts about this machine, known without asking anybody. */
export function localFacts(): HostFacts {
  const { HARMONY_STATE_DIR } = process.env
  return {
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    home: homeFolder(),
    // Here a relative path is meant as in any other command: from the current folder.
    env: { ...process.env, HARMONY_STATE_DIR: HARMONY_STATE_DIR && resolve(HARMONY_STATE_DIR) },
  }
}

function homeFolder(): string {
  try {
    return homedir()
  } catch {
    // Neither HOME nor an entry in /etc/passwd, as containers like to have.
    return '/'
  }
}
