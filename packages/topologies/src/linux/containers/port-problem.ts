/** Who has the port that an engine says is taken. */
import { HarmonyError } from '@harmony-iac/core'
import type { Listed } from './engine-types.ts'

// "Bind for 0.0.0.0:80 failed: port is already allocated", "listen tcp4 0.0.0.0:80: bind: address already in use".
const taken = /:(\d{1,5})(?: failed| ?: bind|: ).*(?:port is already allocated|address already in use)/

/** The same problem, with the name of the container that has the port, if one has. */
export async function portProblem(
  problem: HarmonyError,
  name: string,
  list: () => Promise<readonly Listed[]>,
): Promise<HarmonyError> {
  const port = Number(taken.exec(problem.message)?.[1])
  if (!(port > 0)) return problem
  const all = await list().catch(() => [])
  const holder = all.find(({ Ports }) => Ports?.some(({ PublicPort }) => PublicPort === port))
  const called = holder?.Names?.[0]?.slice(1)
  if (called === undefined || called === name) return problem
  return new HarmonyError(
    'refused',
    `${name}: port ${port} of the host is taken by the container ${called}`,
    {
      hint: `publish another port, or remove ${called}`,
      cause: problem,
      data: { ...problem.data, port, holder: called },
    },
  )
}
