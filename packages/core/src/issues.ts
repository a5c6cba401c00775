/**
 * Turns zod's issues into ours: paths kept, the branch of a union chosen by what the value looks like. A wrong value of
 * a field that also takes `{ $secret }` or `{ $ref }` is reported by zod as a nested `invalid_union`, which nobody can
 * read.
 */
import type * as z from 'zod'
import type { Issue } from './errors.ts'

type ZodIssue = z.core.$ZodIssue

/** All problems of one value, each with its path. */
export function issuesOf(error: z.ZodError, value: unknown): readonly Issue[] {
  return error.issues.flatMap((issue) => flatten(issue, valueAt(value, issue.path)))
}

function flatten(issue: ZodIssue, value: unknown): readonly Issue[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown field' }))
  if (issue.code === 'invalid_key')
    return issue.issues.map((inner) => ({ path, message: lowerFirst(inner.message) }))
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branch = chooseBranch(issue.errors, value)
    return branch.flatMap((each) =>
      flatten(each, valueAt(value, each.path)).map((inner) => ({ ...inner, path: [...path, ...inner.path] })),
    )
  }
  return [{ path, message: lowerFirst(issue.message) }]
}

/**
 * The branch that the value means: one whose mark (`$secret`, `$ref`, …) it carries, otherwise one that expects its
 * type, otherwise the first, which in our unions is the plain value.
 */
function chooseBranch(branches: readonly (readonly ZodIssue[])[], value: unknown): readonly ZodIssue[] {
  const has = (key: PropertyKey | undefined) =>
    typeof value === 'object' && value !== null && key !== undefined && key in value
  const branchesOf = (issue: ZodIssue) =>
    'errors' in issue && issue.path.length === 0 ? (issue.errors as readonly (readonly ZodIssue[])[]) : []
  const inEveryBranch = (issue: ZodIssue, test: (inner: ZodIssue) => boolean): boolean => {
    const inner = branchesOf(issue)
    return inner.length > 0 && inner.every((branch) => branch.some(test))
  }
  const missesMark = (issue: ZodIssue): boolean =>
    inEveryBranch(issue, missesMark) || (String(issue.path[0]).startsWith('$') && !has(issue.path[0]))
  const expectsOther = (issue: ZodIssue): boolean =>
    inEveryBranch(issue, expectsOther) || (issue.code === 'invalid_type' && issue.path.length === 0)
  const score = (branch: readonly ZodIssue[]) =>
    (branch.some(missesMark) ? 2000 : 0) + (branch.some(expectsOther) ? 1000 : 0) + branch.length
  return branches.reduce((best, branch) => (score(branch) < score(best) ? branch : best))
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value
  for (const step of path)
    here =
      typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>)[step] : undefined
  return here
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
