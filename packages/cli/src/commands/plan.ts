/** `harmony plan`: shows what `apply` would do, and writes nothing but the file that was asked for. */
import type { Run } from '../context.ts'
import { hostStatus } from '../failures.ts'
import { openOwnSession } from '../own-session.ts'
import { openProject } from '../project/open.ts'
import { anyActs, sumPlans } from '../render/plan-sums.ts'
import { eachMember, targetsOf } from '../session.ts'
import { planRequest, refusalStatus, tellFailures } from './planning.ts'

export const run: Run = async (context) => {
  const { args, reporter, interrupts } = context
  const open = await openProject(context, true)
  const targets = targetsOf(open.project)
  const session = await openOwnSession(context, open, targets, 'refuse')
  try {
    const failures = [...session.failures]
    const request = planRequest(args.options, interrupts.reading)
    const planned = await eachMember(session.groups, failures, ({ maestro }) => maestro.plan(request))
    interrupts.throwIfInterrupted()
    tellFailures(context, failures)
    const plans = planned.map(({ value }) => value)
    const summary = { command: 'plan', ...sumPlans(plans) } as const
    if (plans.length > 0 || targets.length === 0) await reporter.plans(plans)
    const refused = refusalStatus(plans) || hostStatus(failures, targets.length)
    if (refused) return { status: refused, summary }
    if (args.options.out !== undefined) {
      const { writePlanFile } = await import('../project/plan-file.ts')
      const file = await writePlanFile(context.io.cwd, args.options.out, plans)
      reporter.say(`Saved as ${file}. Carry it out with: harmony apply --plan ${args.options.out}`)
    }
    return { status: anyActs(plans) ? 2 : 0, summary }
  } finally {
    await session.close()
  }
}
