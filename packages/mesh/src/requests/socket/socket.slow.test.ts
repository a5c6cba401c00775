/** What only the death of a process can show. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { socketCarrier } from './carrier.ts'

const program = join(import.meta.dirname, '../../../test/socket-client.ts')

let folder = ''
let path = ''
let started: Process[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harmony-socket-'))
  path = join(folder, 'agent.sock')
})
afterEach(async () => {
  for (const each of started) await each.kill()
  started = []
  rmSync(folder, { recursive: true, force: true })
})

/** One end, and what it prints. */
class Process {
  readonly #child: ChildProcessByStdio<null, Readable, null>
  readonly #lines: AsyncIterator<string>

  constructor(end: 'listen' | 'ask') {
    this.#child = spawn(process.execPath, [program, end, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
    started.push(this)
  }

  async line(): Promise<string | undefined> {
    const { done, value } = await this.#lines.next()
    return done ? undefined : value
  }

  /** Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}

test('an agent that is killed is noticed by who asks, and its socket is taken over by its next run', async () => {
  for (let run = 0; run < 2; run++) {
    const agent = new Process('listen')
    expect(await agent.line()).toBe('listening')
    const replies = socketCarrier(path).exchange('a', new Uint8Array(1), new AbortController().signal)
    const iterator = replies[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toEqual(Buffer.from('part'))
    const killed = agent.kill()
    expect(await iterator.next()).toMatchObject({ done: true })
    // A dying process may close its connections before it stops listening.
    await killed
    expect(existsSync(path)).toBe(true)
  }
  const gone = socketCarrier(path).exchange('a', new Uint8Array(1), new AbortController().signal)
  await expect(gone[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'unreachable' })
})

test('an asker that is killed ends the work of the agent', async () => {
  const agent = new Process('listen')
  expect(await agent.line()).toBe('listening')
  const asker = new Process('ask')
  expect(await asker.line()).toBe('part')
  expect(await agent.line()).toBe('asked')
  await asker.kill()
  expect(await agent.line()).toBe('left alone')
})
