/**
 * `harmony destroy`: removes everything that the project put there, after showing what that is. The ledger says what
 * it is, so the project need not compile.
 */
import type { Run } from '../context.ts'
import { openProject } from '../project/open.ts'
import { conduct } from './conduct.ts'
import { planRequest } from './planning.ts'

export const run: Run = async (context) => {
  const request = { ...planRequest(context.args.options, context.interrupts.reading), destroy: true }
  return await conduct(context, await openProject(context, false), request)
}
