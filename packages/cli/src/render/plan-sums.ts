/** Sums over the plans of several topologies. Apart from the texts, because an apply without changes needs no text. */
import { acts, changes, countPlan, type Plan, type PlanCounts } from '@harmony-iac/core'

/** The counts of several plans. */
export function sumPlans(plans: readonly Plan[]): PlanCounts {
  const sum = { create: 0, update: 0, remove: 0, unchanged: 0 }
  for (const plan of plans) {
    const counts = countPlan(plan)
    for (const key of Object.keys(sum) as (keyof PlanCounts)[]) sum[key] += counts[key]
  }
  return sum
}

/** Whether any of the plans would touch anything but the ledger. */
export const anyActs = (plans: readonly Plan[]): boolean => plans.some(acts)

/** Whether any of the plans would write anything at all. */
export const anyChanges = (plans: readonly Plan[]): boolean => plans.some(changes)
