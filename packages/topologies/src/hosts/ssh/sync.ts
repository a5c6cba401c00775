/**
 * Making folders durable. SFTP opens no folders, and a session for each of thousands of writes would be most of what they
 * cost: so one session stays, and syncs what it is told, one after the other.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { ClientChannel } from 'ssh2'
import type { Access } from './access.ts'

// GNU's sync takes a path; another one syncs everything, which does as well.
const script = 'while IFS= read -r folder; do sync "$folder" 2>/dev/null || sync; echo; done'

/** Syncs folders of one host. */
export class Syncer {
  readonly #access: Access
  #session: Promise<ClientChannel> | undefined
  readonly #waiting: { resolve(): void; reject(error: unknown): void }[] = []

  constructor(access: Access) {
    this.#access = access
  }

  async sync(folder: string): Promise<void> {
    // A line stands for a path here. Whoever has line breaks in paths has everything synced.
    const line = folder.includes('\n') ? '/' : folder
    this.#session ??= this.#open()
    const channel = await this.#session
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      channel.write(`${line}\n`)
    })
  }

  async #open(): Promise<ClientChannel> {
    const { connection } = this.#access
    return await this.#access.session(
      ['/bin/sh', '-c', script],
      (channel) => {
        channel.on('data', (chunk: Buffer) => {
          for (const byte of chunk) if (byte === 10) this.#waiting.shift()?.resolve()
        })
        channel.stderr.resume()
        channel.on('error', () => {})
        channel.once('close', () => {
          this.#session = undefined
          const error = connection.lost.aborted
            ? connection.failure()
            : new HarmonyError(
                'command-failed',
                `${connection.endpoint.name}: the session that syncs folders has ended`,
              )
          for (const { reject } of this.#waiting.splice(0)) reject(error)
        })
        return channel
      },
      { use: 'lasting' },
    )
  }
}
