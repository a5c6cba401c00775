/**
 * A project: which Scores go where. `deploy` is where the compiler matches what Scores need with what a topology
 * offers; `defineProject` puts deployments together and refuses, at run time and all at once, whatever the compiler
 * could not see (plain JavaScript, `any`).
 */
import { HarmonyError, type Issue } from './errors.ts'
import type { AnyScore, Scores } from './score.ts'
import type { Remote, Topology } from './topology.ts'

/** Scores for one topology. */
export interface Deployment {
  /** Where to; `undefined` for an agent, which `remote` names. */
  readonly topology: Topology | undefined
  readonly remote: Remote<unknown> | undefined
  /** Flattened, composites not expanded. */
  readonly scores: readonly AnyScore[]
  /** Problems of the list itself. */
  readonly issues: readonly Issue[]
}

/** The default export of a project file. */
export interface Project {
  readonly '~harmony': 'project'
  readonly name: string
  readonly deployments: readonly Deployment[]
}

/**
 * Sends Scores to a topology. Lists nest, and `false` and `undefined` are left out:
 * `deploy(pi, [config, hosts.map((host) => Site({ host })), tls && Certificate({ … })])`.
 * Prefer nesting to spreading: the compiler then blames the guilty element only.
 */
export function deploy<T extends Topology>(
  to: T | Remote<T>,
  scores: NoInfer<readonly Scores<T>[]>,
): Deployment {
  const issues: Issue[] = []
  const flat: AnyScore[] = []
  collect(scores, [], flat, issues)
  const target = to as { name?: unknown; device?: unknown; selector?: unknown } | null | undefined
  const isRemote =
    typeof target === 'object' &&
    target !== null &&
    (target.device !== undefined || target.selector !== undefined)
  if (!isRemote && typeof target?.name !== 'string')
    issues.push({
      path: [],
      message: 'deploy(topology, scores): the first argument is not a topology (it has no name)',
    })
  return {
    topology: isRemote ? undefined : (to as Topology),
    remote: isRemote ? (to as Remote<unknown>) : undefined,
    scores: flat,
    issues,
  }
}

/**
 * Names a project and its deployments.
 * @throws HarmonyError `invalid-project` with every issue: invalid specs, things that are not Scores, capabilities
 * that a topology does not offer, two topologies of one name.
 */
export function defineProject(project: {
  readonly name: string
  readonly deployments: readonly Deployment[]
}): Project {
  const issues: Issue[] = []
  const given = project as unknown
  if (typeof given !== 'object' || given === null)
    throw invalid([{ path: [], message: 'defineProject takes { name, deployments }' }])
  for (const key of Object.keys(given))
    if (key !== 'name' && key !== 'deployments') issues.push({ path: [key], message: 'unknown field' })
  if (typeof project.name !== 'string' || !/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(project.name))
    issues.push({
      path: ['name'],
      message:
        'must be 1 to 63 letters, digits, dots, dashes or underscores, starting with a letter or digit',
    })
  if (!Array.isArray(project.deployments))
    issues.push({ path: ['deployments'], message: 'must be a list of deploy(…)' })
  else {
    const byName = new Map<string, Topology>()
    project.deployments.forEach((deployment: Deployment, i: number) => {
      if (typeof deployment !== 'object' || deployment === null || !Array.isArray(deployment.scores)) {
        issues.push({ path: ['deployments', i], message: 'must be what deploy(…) returns' })
        return
      }
      const { topology } = deployment
      if (topology) {
        const other = byName.get(topology.name)
        if (other && other !== topology)
          issues.push({
            path: ['deployments', i],
            message: `two topologies have the name ${topology.name}; give one of them another name`,
          })
        byName.set(topology.name, topology)
      }
      issues.push(
        ...deployment.issues.map((issue: Issue) => ({ ...issue, path: ['deployments', i, ...issue.path] })),
      )
      for (const score of deployment.scores) collectIssues(score, topology, issues)
    })
  }
  if (issues.length > 0) throw invalid(issues)
  return { '~harmony': 'project', name: project.name, deployments: project.deployments }
}

/** Whether a value is what `defineProject` returns, of this copy of core or another. */
export function isProject(value: unknown): value is Project {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as { '~harmony'?: unknown })['~harmony'] === 'project'
  )
}

function collectIssues(score: AnyScore, topology: Topology | undefined, into: Issue[]): void {
  const { issues, at, children, definition } = score['~score']
  for (const issue of issues)
    into.push(at === undefined ? issue : { ...issue, message: `${issue.message} (${at})` })
  if (topology && !children)
    for (const need of definition.needs)
      if ((topology as unknown as Record<string, unknown>)[need.name] === undefined)
        into.push({
          address: score.id,
          path: [],
          message: `needs ${need.name}, which ${describe(topology)} does not offer`,
        })
  if (children) for (const child of children) collectIssues(child, topology, into)
}

function describe(topology: Topology): string {
  const type = topology.constructor?.name
  return type && type !== 'Object' ? `the ${type} ${topology.name}` : `the topology ${topology.name}`
}

function collect(list: unknown, path: readonly number[], into: AnyScore[], issues: Issue[]): void {
  if (!Array.isArray(list)) {
    issues.push({
      path: ['scores', ...path],
      message: `is not a list of Scores but ${list === null ? 'null' : typeof list}`,
    })
    return
  }
  list.forEach((each: unknown, i) => {
    if (each === false || each === undefined || each === null) return
    if (Array.isArray(each)) collect(each, [...path, i], into, issues)
    else if (typeof each === 'object' && '~score' in each) into.push(each as AnyScore)
    else
      issues.push({
        path: ['scores', ...path, i],
        message: `is not a Score but ${typeof each === 'function' ? 'a function; was it called?' : typeof each}`,
      })
  })
}

function invalid(issues: readonly Issue[]): HarmonyError {
  const first = issues[0]
  const message = issues.length === 1 && first ? first.message : `${issues.length} problems in the project`
  return new HarmonyError('invalid-project', message, { issues })
}
