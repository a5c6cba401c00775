/** `harmony apply`: shows the plan, asks, and carries out exactly what was shown. */
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Run } from '../context.ts'
import { openProject } from '../project/open.ts'
import { conduct } from './conduct.ts'
import { planRequest } from './planning.ts'

const choices = ['target', 'exclude', 'replace', 'adopt', 'allow-removal'] as const

export const run: Run = async (context) => {
  const { args, io, interrupts } = context
  const { plan: file } = args.options
  if (file === undefined)
    return await conduct(
      context,
      await openProject(context, true),
      planRequest(args.options, interrupts.reading),
    )

  const given = choices.find((name) => args.options[name] !== undefined)
  if (given)
    throw new HarmonyError('usage', `--${given} has no effect on a plan that is made already`, {
      hint: `give --${given} to harmony plan --out`,
    })
  const { readPlanFile } = await import('../project/plan-file.ts')
  const plans = await readPlanFile(io.cwd, file)
  return await conduct(context, await openProject(context, true), plans)
}
