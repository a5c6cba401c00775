import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { isHarmonyError } from '@harmony-iac/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openDescriptors, scratch } from '../../test/scratch.ts'
import { localHost } from './local.ts'

const host = localHost()
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const sh = (script: string): ['/bin/sh', '-c', string] => ['/bin/sh', '-c', script]

describe('running a program', () => {
  test('tells its status and both outputs', async () => {
    const result = await host.exec(sh('echo out; echo err >&2; exit 3'))
    expect(result).toMatchObject({ exitCode: 3, signal: null, timedOut: false, stdoutCut: 0, stderrCut: 0 })
    expect([text(result.stdout), text(result.stderr)]).toEqual(['out\n', 'err\n'])
    expect(result.durationMs).toBeGreaterThan(0)
  })

  test('tells the signal that ended it', async () => {
    expect(await host.exec(sh('kill -USR1 $$'))).toMatchObject({
      exitCode: null,
      signal: 'SIGUSR1',
      timedOut: false,
    })
  })

  test('passes arguments as they are: no shell looks at them', async () => {
    const odd = ['$HOME', '`id`', 'a b', '*', "'", '"', '\\', '', '-n', 'two\nlines', 'ä☂']
    const result = await host.exec(['/usr/bin/printf', '%s|', ...odd])
    expect(text(result.stdout)).toBe(`${odd.join('|')}|`)
  })

  test('gives it an environment of its own: nothing of ours', async () => {
    process.env.HARMONY_TEST_LEAK = 'leaked'
    onTestFinished(() => {
      delete process.env.HARMONY_TEST_LEAK
    })
    const result = await host.exec(['env'], { env: { GIVEN: 'x', LANG: 'C' } })
    const names = text(result.stdout)
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
    expect(names.toSorted()).toEqual(['GIVEN', 'HOME', 'LANG', 'PATH', 'USER'])
    expect(text(result.stdout)).toContain('LANG=C\n')
  })

  test('runs it in / or where it is told to', async () => {
    const dir = scratch()
    expect(text((await host.exec(['pwd'])).stdout)).toBe('/\n')
    expect(text((await host.exec(['pwd'], { cwd: dir })).stdout)).toBe(`${dir}\n`)
  })

  test('feeds its standard input, binary as it is, and closes it', async () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 256)
    const result = await host.exec(['cat'], { stdin: bytes, outputLimit: 200_000 })
    expect(Buffer.compare(result.stdout, bytes)).toBe(0)
    expect(text((await host.exec(['cat'], { stdin: '' })).stdout)).toBe('')
    expect(text((await host.exec(['cat'])).stdout)).toBe('')
  })

  test('does not mind a program that does not read its input', async () => {
    expect(await host.exec(['true'], { stdin: Buffer.alloc(1_000_000) })).toMatchObject({ exitCode: 0 })
  })

  test('tells output while it comes', async () => {
    const heard: string[] = []
    await host.exec(sh('echo one; echo two >&2'), {
      onOutput: (stream, chunk) => heard.push(`${stream} ${text(chunk)}`),
    })
    expect(heard.toSorted()).toEqual(['stderr two\n', 'stdout one\n'])
  })

  test('keeps the end of a long output and counts the rest to the byte', async () => {
    const result = await host.exec(sh('seq 1 200000; seq 1 10 >&2'), { outputLimit: 1000 })
    const whole = Array.from({ length: 200_000 }, (_, i) => `${i + 1}\n`).join('')
    expect(text(result.stdout)).toBe(whole.slice(-1000))
    expect([result.stdoutCut, result.stderrCut]).toEqual([whole.length - 1000, 0])
  })
})

describe('a program that cannot be started', () => {
  test.each([
    {
      argv: ['no-such-program'] as const,
      cwd: '/',
      says: 'no-such-program: cannot be started: there is no such program',
    },
    {
      argv: ['true'] as const,
      cwd: '/none',
      says: 'true: cannot be started: the working directory /none does not exist',
    },
    {
      argv: ['/etc/passwd'] as const,
      cwd: '/',
      says: '/etc/passwd: cannot be started: it may not be executed',
    },
  ])('says why: $says', async ({ argv, cwd, says }) => {
    const refused = await host.exec([...argv], { cwd }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'command-failed', message: says })
    expect(isHarmonyError(refused) && refused.hint).toBeTruthy()
  })

  test('is refused for arguments that are too long or not text', async () => {
    await expect(host.exec(['true', 'x'.repeat(3_000_000)])).rejects.toMatchObject({ code: 'command-failed' })
    await expect(host.exec(['true', 'a\0b'])).rejects.toMatchObject({ code: 'command-failed' })
  })

  test('leaves nothing open', async () => {
    await host.exec(['true'])
    const before = openDescriptors()
    await host.exec(['no-such-program'], { stdin: 'x' }).catch(() => {})
    await host.exec(['true'], { stdin: 'x' })
    expect(openDescriptors()).toBe(before)
  })
})

describe('ending a program', () => {
  /** A script that starts a grandchild, writes down its pid, and waits. */
  function family(dir: string, wait = 'wait'): ['/bin/sh', '-c', string] {
    return sh(`sleep 300 & echo $! > ${dir}/grandchild; echo ready; ${wait}`)
  }
  const pidIn = (file: string) => Number(readFileSync(file, 'utf8'))

  test('at its time limit ends the whole group, grandchildren too', async () => {
    const dir = scratch()
    const result = await host.exec(family(dir), { timeoutMs: 200 })
    expect(result).toMatchObject({ timedOut: true, signal: 'SIGTERM' })
    expect(isAlive(pidIn(`${dir}/grandchild`))).toBe(false)
    expect(result.durationMs).toBeLessThan(4000)
  })

  test('at its time limit lets it finish what it does on SIGTERM', async () => {
    const result = await host.exec(sh('trap "echo tidied; exit 7" TERM; sleep 300 & wait'), {
      timeoutMs: 200,
    })
    expect(result).toMatchObject({ timedOut: true, exitCode: 7 })
    expect(text(result.stdout)).toBe('tidied\n')
  })

  test('by aborting kills the whole group at once', async () => {
    const dir = scratch()
    const abort = new AbortController()
    const running = host.exec(family(dir), { signal: abort.signal, onOutput: () => abort.abort() })
    await expect(running).rejects.toMatchObject({ code: 'interrupted' })
    await gone(pidIn(`${dir}/grandchild`))
  })

  test('starts nothing when it was aborted before', async () => {
    const dir = scratch()
    await expect(host.exec(['touch', `${dir}/f`], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    })
    expect(() => readFileSync(`${dir}/f`)).toThrow()
  })

  test('leaves no listener on the signal and no timer behind', async () => {
    const abort = new AbortController()
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    await host.exec(['true'], { signal: abort.signal, timeoutMs: 60_000 })
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')).toHaveLength(before)
    abort.abort()
  })

  test('does not wait for ever for a daemon that keeps the output open', async () => {
    const dir = scratch()
    const result = await host.exec(sh(`sleep 300 & echo $! > ${dir}/daemon; echo started`))
    const daemon = pidIn(`${dir}/daemon`)
    onTestFinished(() => void process.kill(daemon, 'SIGKILL'))
    expect(result).toMatchObject({ exitCode: 0, timedOut: false })
    expect(text(result.stdout)).toBe('started\n')
    expect(isAlive(daemon)).toBe(true)
  })
})

describe('connecting to a socket', () => {
  test('gives a connection', async () => {
    const path = `${scratch()}/socket`
    const server = createServer((peer) => peer.end('hello')).listen(path)
    onTestFinished(() => void server.close())
    await new Promise((listening) => server.once('listening', listening))
    const chunks: Buffer[] = []
    for await (const chunk of await host.dial(path)) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).toString()).toBe('hello')
  })

  test('says when nobody is there', async () => {
    await expect(host.dial(`${scratch()}/none`)).rejects.toMatchObject({ code: 'unreachable' })
  })
})

test('a program that may not be executed for its mode is told apart from a missing one', async () => {
  const dir = scratch()
  mkdirSync(`${dir}/bin`)
  writeFileSync(`${dir}/bin/tool`, '#!/bin/sh\n')
  chmodSync(`${dir}/bin/tool`, 0o644)
  await expect(host.exec([`${dir}/bin/tool`])).rejects.toMatchObject({
    message: expect.stringContaining('may not be executed'),
  })
})

/** Running, and not a zombie that only waits to be collected. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

async function gone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { interval: 5 }).toBe(false)
}
