/** `harmony check`: the compiler's verdict, and that the Scores fit together; no host is looked at. */
import type { Run } from '../context.ts'
import { findProject } from '../project/find.ts'
import { compileAndTell, openProject } from '../project/open.ts'
import { verdictStore } from '../project/verdict.ts'
import { placesOf } from '../session.ts'

export const run: Run = async (context) => {
  const { args, io, reporter } = context
  const place = findProject(io.cwd, args.options.project)
  const { verdict } = await compileAndTell(context, place, verdictStore(place.file, io.env))
  const { project } = await openProject(context, false)
  const { deriveGraph, expand } = await import('@harmony-iac/core/engine')
  let scores = 0
  for (const { scores: given } of placesOf(project)) scores += deriveGraph(expand(given)).order.length
  const how = {
    fresh: 'compiles',
    cached: 'compiles (nothing has changed since it was last compiled)',
    skipped: 'is JavaScript, which has no types to check',
  }
  reporter.say(
    `${place.file} ${how[verdict]}. Its ${scores === 1 ? 'Score fits' : `${scores} Scores fit`} together.`,
  )
  return { status: 0, summary: { command: 'check', ok: true } }
}
