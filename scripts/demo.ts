/**
 * `npm run demo`: the main job of Harmony, in a temporary folder, as whoever runs it. Everything that it shows is run,
 * and looked at afterwards: what is not as promised ends it with status 1. Nothing is left, whatever happens.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeSandbox } from './testing/sandbox.ts'

const repository = join(import.meta.dirname, '..')
const launcher = join(repository, 'packages/cli/bin/harmony.js')
const started = performance.now()

const sandbox = makeSandbox(join(repository, 'examples/hello'))
const { folder, project } = sandbox
const site = join(folder, 'hello')
const page = join(site, 'index.html')
const config = join(site, 'site.json')
const env = {
  ...sandbox.env,
  ...(process.stdout.isTTY && !process.env.NO_COLOR ? { NO_COLOR: '', FORCE_COLOR: '1' } : {}),
}

let running: ChildProcess | undefined
process.on('exit', () => sandbox[Symbol.dispose]())
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (running?.kill(signal) !== true) process.exit(130)
    running?.once('close', () => process.exit(130))
  })

try {
  await demo()
} catch (thrown) {
  console.error(`\nThe demo has failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
  process.exitCode = 1
}

async function demo(): Promise<void> {
  say(`This is a project (examples/hello/harmony.ts), here in ${project}:`)
  console.log(indented(readFileSync(join(project, 'harmony.ts'), 'utf8')))

  say('1. Apply it. The plan is shown first; --yes stands for the answer to the question.')
  await harmony(0, 'apply', '--yes')
  expect(readFileSync(config, 'utf8') === '{"port":8080}\n', `${config} has its content`)
  expect(modeOf(config) === '640', `${config} has its mode`)

  say('2. Apply it again: nothing is to be done, and nothing is written.')
  expect((await harmony(0, 'apply', '--yes')).includes('Nothing to do'), 'a second apply changes nothing')

  say('3. Somebody changes two files behind our back.')
  shell(`echo 'This page was changed.' > ${page}`, () => writeFileSync(page, 'This page was changed.\n'))
  shell(`echo '{"port":1}' > ${config}`, () => writeFileSync(config, '{"port":1}\n'))
  shell(`chmod 666 ${config}`, () => chmodSync(config, 0o666))

  say(
    '4. Drift compares what was last applied with what is there. It writes nothing, and ends with status 2.',
  )
  const drift = await harmony(2, 'drift')
  expect(
    drift.includes('+This page was changed.') && drift.includes('+{"port":1}'),
    'drift shows what was changed',
  )

  say('5. Apply repairs it.')
  await harmony(0, 'apply', '--yes')
  expect(readFileSync(page, 'utf8') === '<h1>Hello</h1>\n', `${page} is repaired`)
  expect(readFileSync(config, 'utf8') === '{"port":8080}\n', `${config} is repaired`)
  expect(modeOf(config) === '640', `${config} has its mode again`)

  say('6. Destroy takes away what the project has put there.')
  await harmony(0, 'destroy', '--yes')
  const left = readdirSync(folder).filter((name) => name !== '.cache')
  shell(`ls ${folder}`, () => console.log(left.join('\n')))
  expect(!existsSync(site), `${site} is gone`)
  expect(!existsSync(sandbox.env.HARMONY_STATE_DIR ?? ''), 'so is the ledger')
  expect(left.join() === 'project', 'nothing is left but the project')

  say(
    `All of this was as promised, in ${((performance.now() - started) / 1000).toFixed(1)} s. The folder is removed now.`,
  )
}

/** Shows and runs one command; its output, once it has ended with the right status. */
async function harmony(status: number, ...args: readonly string[]): Promise<string> {
  console.log(`$ harmony ${args.join(' ')}`)
  const child = spawn(process.execPath, [launcher, ...args], {
    cwd: project,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running = child
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      process.stdout.write(chunk)
    })
  const ended = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  running = undefined
  expect(ended === status, `harmony ${args.join(' ')} ends with status ${status}`)
  return text
}

function shell(shown: string, deed: () => void): void {
  console.log(`$ ${shown}`)
  deed()
}

function say(text: string): void {
  console.log(`\n${text}\n`)
}

function expect(holds: boolean, promise: string): void {
  if (!holds) throw new Error(`it is not so that ${promise}`)
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

function indented(text: string): string {
  return text.trimEnd().replace(/^(?=.)/gm, '    ')
}
