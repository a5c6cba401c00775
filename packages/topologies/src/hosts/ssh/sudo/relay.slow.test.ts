/** The programs that hand on the bytes of a socket, each by itself: a host has some of them. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith, type Part } from '../../../../../../scripts/testing/require-part.ts'
import { scratch } from '../../../../test/scratch.ts'
import { relayArgv } from './relay.ts'

const said = (...argv: readonly [string, ...string[]]) =>
  spawnSync(argv[0], argv.slice(1), { encoding: 'utf8' }).stdout?.trim() ?? ''
/** The programs themselves, not what some machines have in their place to choose a version. */
const programs = {
  perl: said('perl', '-e', 'print $^X'),
  python3: said('python3', '-c', 'import os, sys; print(os.path.realpath(sys.executable))'),
}
const part = (program: keyof typeof programs, get: string): Part => ({
  name: program,
  get,
  present: programs[program] !== '',
})

/** A host that has only this program, beside a shell. */
function startRelay(program: keyof typeof programs, socketPath: string): ChildProcessWithoutNullStreams {
  const bin = `${scratch()}/bin`
  mkdirSync(bin)
  symlinkSync(programs[program], `${bin}/${program}`)
  const [shell, ...args] = relayArgv(socketPath)
  const child = spawn(shell, args, { env: { ...process.env, PATH: bin } })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** A server that does this with each connection. */
async function serve(use: (socket: Socket) => void): Promise<string> {
  const path = `${scratch()}/socket, with: odd name`
  const server = createServer({ allowHalfOpen: true }, use).listen(path)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return path
}

for (const [program, get] of [
  ['perl', 'apt-get install perl-base'],
  ['python3', 'apt-get install python3'],
] as const)
  describeWith(part(program, get), `a relay by ${program}`, () => {
    test('hands on every byte, both ways at once, and each end', async () => {
      const received: Buffer[] = []
      const path = await serve((socket) => {
        socket.write(Buffer.alloc(3_000_000, 'down '))
        socket.on('data', (chunk: Buffer) => received.push(chunk))
        socket.on('end', () => socket.end('the end'))
      })
      const child = startRelay(program, path)
      const printed = text(child.stdout)
      child.stdin.end(Buffer.alloc(3_000_000, 'up '))
      const out = await printed
      expect(out.startsWith('connected\ndown down')).toBe(true)
      expect(out.endsWith('the end')).toBe(true)
      expect(out.length).toBe('connected\n'.length + 3_000_000 + 'the end'.length)
      expect(Buffer.concat(received).equals(Buffer.alloc(3_000_000, 'up '))).toBe(true)
    })

    test('says that nobody listens', async () => {
      const child = startRelay(program, `${scratch()}/none`)
      expect(await text(child.stdout)).toBe('refused No such file or directory\n')
    })

    test('ends when there is nobody left to hand bytes to, although the other side is silent', async () => {
      const path = await serve((socket) => socket.resume())
      const child = startRelay(program, path)
      await once(child.stdout, 'data')
      const exit = once(child, 'exit')
      child.stdin.end()
      child.stdout.destroy()
      await exit
    })

    test('ends when the other side does', async () => {
      const path = await serve((socket) => socket.end('bye'))
      const child = startRelay(program, path)
      expect(await text(child.stdout)).toBe('connected\nbye')
    })
  })
