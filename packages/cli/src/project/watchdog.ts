/**
 * Ends a project file that never lets go: `while (true)` leaves no moment in which a timer of this thread could fire.
 * A second thread waits, and when the limit has passed stops this one as a debugger would, which also tells where it
 * is. Only for projects that have not been seen to finish loading, since a thread costs some milliseconds.
 */
import { Worker } from 'node:worker_threads'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { ProjectPlace } from './find.ts'
import { frameOfFile, userFrame } from './frames.ts'

/** Written out, because a worker's own file would have to be found both in sources and in what is published. */
const source = `
const { Session } = require('node:inspector')
const { workerData } = require('node:worker_threads')
setTimeout(() => {
  const urls = new Map()
  const session = new Session()
  session.connectToMainThread()
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url))
  session.on('Debugger.paused', ({ params: { callFrames } }) => {
    const places = callFrames.map(({ location: { scriptId, lineNumber, columnNumber } }) =>
      urls.get(scriptId) + ':' + (lineNumber + 1) + ':' + (columnNumber + 1))
    const expression = 'globalThis[Symbol.for("harmony.hung")](' + JSON.stringify(places) + ')'
    session.post('Debugger.evaluateOnCallFrame', { callFrameId: callFrames[0].callFrameId, expression })
  })
  session.post('Debugger.enable')
  session.post('Debugger.pause')
  setInterval(() => {}, 1000)
}, workerData)
`

const hook = Symbol.for('harmony.hung')

/**
 * Watches this thread until the returned function is called.
 * @param limitMs when to give up.
 * @param end is then called in the middle of whatever runs; it must end the process.
 */
export function watchThread(
  place: ProjectPlace,
  limitMs: number,
  end: (error: HarmonyError) => never,
): () => Promise<void> {
  const holder = globalThis as { [hook]?: (places: readonly string[]) => never }
  holder[hook] = (places) => end(hung(place, limitMs, places))
  // The timer of this thread goes first, where it can.
  const worker = new Worker(source, { eval: true, workerData: limitMs + 500, stdout: true, stderr: true })
  worker.unref()
  return async () => {
    delete holder[hook]
    await worker.terminate()
  }
}

function hung(place: ProjectPlace, limitMs: number, places: readonly string[]): HarmonyError {
  const stack = new Error()
  stack.stack = ['Error', ...places.map((each) => `    at ${each}`)].join('\n')
  const frame = userFrame(stack, place)
  const data = frame && {
    at: `${frame.file}:${frame.line}:${frame.column}`,
    frame: frameOfFile(frame.file, frame.line, frame.column),
  }
  return new HarmonyError(
    'project-unreadable',
    `${place.file} never finishes loading: it was still busy after ${limitMs / 1000} s`,
    {
      hint: 'look for a loop that does not end (HARMONY_LOAD_TIMEOUT sets the limit, in seconds)',
      data,
    },
  )
}
