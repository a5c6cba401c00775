/** `harmony graph`: which Score comes after which, as a document; no host is looked at. */
import { deriveGraph, expand } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Run } from '../context.ts'
import { openProject } from '../project/open.ts'
import { type DrawnGraph, drawDot, drawMermaid } from '../render/graph-text.ts'
import { jsonText } from '../render/sanitize.ts'
import { placesOf } from '../session.ts'

const formats = ['dot', 'mermaid', 'json'] as const

export const run: Run = async (context) => {
  const { args, io } = context
  const format = args.options.format ?? (args.options.json ? 'json' : 'mermaid')
  if (!formats.some((each) => each === format))
    throw new HarmonyError('usage', `--format ${format} is not one of ${formats.join(', ')}`)
  const { project } = await openProject(context, false)
  const graphs: DrawnGraph[] = placesOf(project).map(({ name, scores }) => {
    const { order } = deriveGraph(expand(scores))
    const nodes = order.map(({ address, definition, parent, after }) => ({
      address,
      kind: definition.kind,
      parent,
      after,
    }))
    return { topology: name, scores: nodes }
  })
  const document = { project: project.name, topologies: graphs }
  if (format === 'json') io.out.write(`${jsonText(document, 2)}\n`)
  else io.out.write(format === 'dot' ? drawDot(document) : drawMermaid(document))
  return { status: 0 }
}
