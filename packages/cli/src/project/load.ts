/**
 * Runs the project file in this process: Node strips the types. It is other people's code, so whatever it does instead
 * of exporting a project (throwing, not parsing, never settling) becomes one error that says where.
 */
import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isProject, type Project } from '@harmony-iac/core'
import { HarmonyError, isHarmonyError } from '@harmony-iac/core/errors'
import type { ProjectPlace } from './find.ts'

/**
 * Imports the file and returns its default export.
 * @throws HarmonyError `project-unreadable` when it cannot be run, `invalid-project` when it exports something else.
 */
export async function loadProject(place: ProjectPlace, limitMs: number): Promise<Project> {
  let module: { readonly default?: unknown }
  try {
    module = await settled(import(pathToFileURL(place.file).href), limitMs, place)
  } catch (thrown) {
    throw await explainThrown(thrown, place)
  }
  if (isProject(module.default)) return module.default
  const exported = Object.hasOwn(module, 'default')
    ? `exports ${describe(module.default)} by default`
    : 'has no default export'
  throw new HarmonyError('invalid-project', `${place.file} ${exported}, not a project`, {
    hint: "write: export default defineProject({ name: 'my-site', deployments: [deploy(here, [ … ])] })",
  })
}

/** Waits for the import, up to the limit, or until nothing is left that could make it settle. */
async function settled<T>(loading: Promise<T>, limitMs: number, place: ProjectPlace): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let onIdle = () => {}
  const limit = new Promise<never>((_, reject) => {
    const fail = (why: string) =>
      reject(
        new HarmonyError('project-unreadable', `${place.file} never finishes loading: ${why}`, {
          hint: 'look for a top-level await that waits for something that does not come (HARMONY_LOAD_TIMEOUT sets the limit, in seconds)',
        }),
      )
    timer = setTimeout(() => fail(`it was given up after ${limitMs / 1000} s`), limitMs)
    // Not to be kept waiting by ourselves: when only this timer is left, the wait is in vain.
    timer.unref()
    onIdle = () => fail('it waits for something that can no longer happen')
    process.once('beforeExit', onIdle)
  })
  try {
    return await Promise.race([loading, limit])
  } finally {
    clearTimeout(timer)
    process.off('beforeExit', onIdle)
  }
}

async function explainThrown(thrown: unknown, place: ProjectPlace): Promise<HarmonyError> {
  const { frameOfFile, userFrame } = await import('./frames.ts')
  const frame = userFrame(thrown, place)
  const data = frame
    ? {
        at: `${frame.file}:${frame.line}:${frame.column}`,
        frame: frameOfFile(frame.file, frame.line, frame.column),
      }
    : {}
  if (isHarmonyError(thrown)) {
    const { code, message, address, hint, issues, cause } = thrown
    return new HarmonyError(code, message, {
      address,
      hint,
      issues,
      cause,
      data: { ...thrown.data, ...data },
    })
  }
  const name = relative(process.cwd(), place.file) || place.file
  const { message, hint } = describeThrown(thrown)
  return new HarmonyError('project-unreadable', `${name} ${message}`, { hint, cause: thrown, data })
}

function describeThrown(thrown: unknown): { readonly message: string; readonly hint?: string } {
  if (!(thrown instanceof Error)) return { message: `threw ${describe(thrown)}` }
  const { code } = thrown as NodeJS.ErrnoException
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')
    return {
      message: `cannot be loaded: ${thrown.message.replaceAll('file://', '')}`,
      hint: 'is the package installed (npm install), and is the path complete (./hosts.ts, with its extension)?',
    }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return {
      message: `cannot be run: ${thrown.message}`,
      hint: 'Node only strips types: no enum, namespace, parameter property or decorator',
    }
  if (thrown instanceof SyntaxError) return { message: `does not parse: ${thrown.message}` }
  return { message: `threw ${thrown.name}: ${thrown.message}` }
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'object' || typeof value === 'function')
    return `a${value instanceof Promise ? ' promise' : Array.isArray(value) ? ' list' : typeof value === 'object' ? 'n object' : ' function'}`
  return `the ${typeof value} ${String(value).slice(0, 80)}`
}
