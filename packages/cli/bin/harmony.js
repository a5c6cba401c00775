#!/usr/bin/env node
/**
 * The first file that runs, as it stands and on whatever Node the shell found, which may be one that cannot run
 * TypeScript. It is therefore plain JavaScript that Node 18 can read, it is committed (npm links no command whose
 * target is missing), and it imports only what it is about to use: `harmony --version` is to cost little more than
 * starting Node.
 */
// Asked for like this, what these have and nobody uses is not loaded; not every old Node can be asked.
const { getBuiltinModule: ask } = process
const { existsSync, lstatSync, mkdirSync, readFileSync, statSync } =
  ask?.('node:fs') ?? (await import('node:fs'))
const nodeModule = ask?.('node:module') ?? (await import('node:module'))

const OLDEST_NODE = 24
const args = process.argv.slice(2)

if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
  console.log(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version)
} else if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  await handOver()
} else {
  cacheCompiledModules()
  const { main } = await import(await findMain())
  process.exitCode = await main(args)
}

/** What is run: of a published package what was built, in a clone the sources, put together if that was done. */
async function findMain() {
  const bundle = new URL('../.bundle/', import.meta.url)
  if (existsSync(bundle)) {
    const { useBundle } = await import('./bundle.js')
    const main = useBundle(bundle)
    if (main) return main
  }
  const source = new URL('../src/main.ts', import.meta.url)
  return existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href
}

/**
 * Node's own default is a folder in the shared temporary directory, where another user could plant code. Whoever may
 * write in one of the folders on the way, or swap it, could do the same. So all below what is the user's must be the
 * user's alone, and no link; and root, whose HOME may be the caller's (sudo), uses a folder of the system.
 */
function cacheCompiledModules() {
  const { HOME, XDG_CACHE_HOME } = process.env
  const uid = process.getuid?.()
  const isPrivate = (/** @type {import('node:fs').Stats} */ stats) =>
    stats.isDirectory() && stats.uid === uid && (stats.mode & 0o022) === 0
  try {
    let directory = '/var/cache'
    const below = ['harmony', 'compile-cache']
    if (uid !== 0) {
      // A relative XDG_CACHE_HOME is to be ignored (XDG Base Directory Specification).
      const own = XDG_CACHE_HOME?.startsWith('/') ? XDG_CACHE_HOME : undefined
      directory = own ?? HOME ?? ''
      if (own) mkdirSync(own, { recursive: true, mode: 0o700 })
      else below.unshift('.cache')
    }
    if (!directory.startsWith('/') || !isPrivate(statSync(directory))) return
    for (const name of below) {
      directory += `/${name}`
      if (!lstatSync(directory, { throwIfNoEntry: false })) mkdirSync(directory, { mode: 0o700 })
      if (!isPrivate(lstatSync(directory))) return
    }
    nodeModule.enableCompileCache(directory)
  } catch {
    // A home that cannot be written costs a little time, nothing else.
  }
}

/** Starts this file again on the Node that npm installed beside it, and behaves as if it were that process. */
async function handOver() {
  let node
  try {
    const { resolve } = nodeModule.createRequire(import.meta.url)
    node = resolve(`node-${process.platform}-${process.arch}/bin/node`)
  } catch {
    console.error(
      `harmony needs Node ${OLDEST_NODE} or newer; this is ${process.version} (${process.execPath}).\n` +
        'Install a newer Node, or run `npm i` in a clone of Harmony, which brings one on Linux.',
    )
    process.exitCode = 1
    return
  }
  const { spawn } = await import('node:child_process')
  const { constants } = await import('node:os')
  const child = spawn(node, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // A key that is pressed reaches the whole foreground group: the child has it already, and a second one would mean
  // "at once". Sent by a program, the signal reached this process alone.
  for (const signal of ['SIGINT', 'SIGQUIT']) process.on(signal, () => inForeground() || child.kill(signal))
  child.on('error', (error) => {
    console.error(`harmony cannot start ${node}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (status, signal) => {
    process.exitCode = signal === null ? status : 128 + constants.signals[signal]
    if (signal === null) return
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/** Whether a terminal's Ctrl-C goes to this process: its group (field 5) is the terminal's foreground group (8). */
function inForeground() {
  // The second field is the program's name in parentheses, which may hold spaces.
  const [, , group, , , foreground] = readFileSync('/proc/self/stat', 'utf8').split(') ').pop().split(' ')
  return group === foreground
}
