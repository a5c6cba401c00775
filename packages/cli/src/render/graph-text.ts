/** Graphs in the languages of Graphviz and Mermaid. An arrow points from what comes first to what comes after. */
import { sanitizeLine } from './sanitize.ts'

/** One topology's Scores, each with what it comes after. */
export interface DrawnGraph {
  readonly topology: string
  readonly scores: readonly {
    readonly address: string
    readonly kind: string
    readonly parent: string | undefined
    readonly after: readonly string[]
  }[]
}

interface Drawn {
  readonly project: string
  readonly topologies: readonly DrawnGraph[]
}

/** For `dot -Tsvg`. */
export function drawDot({ project, topologies }: Drawn): string {
  const quote = (text: string) => `"${sanitizeLine(text).replace(/[\\"]/g, '\\$&')}"`
  const lines = [`digraph ${quote(project)} {`, '  rankdir=LR', '  node [shape=box, fontname="sans-serif"]']
  topologies.forEach(({ topology, scores }, t) => {
    lines.push(`  subgraph cluster_${t} {`, `    label=${quote(topology)}`)
    for (const { address } of scores)
      lines.push(`    ${quote(`${topology}/${address}`)} [label=${quote(address)}]`)
    lines.push('  }')
    for (const { address, after } of scores)
      for (const each of after)
        lines.push(`  ${quote(`${topology}/${each}`)} -> ${quote(`${topology}/${address}`)}`)
  })
  return `${[...lines, '}'].join('\n')}\n`
}

/** For Markdown. */
export function drawMermaid({ topologies }: Drawn): string {
  const quote = (text: string) =>
    `"${sanitizeLine(text).replace(/[#"&<>]/g, (character) => `#${character.codePointAt(0)};`)}"`
  const lines = ['flowchart LR']
  topologies.forEach(({ topology, scores }, t) => {
    const idOf = new Map(scores.map(({ address }, s) => [address, `t${t}s${s}`]))
    lines.push(`  subgraph t${t}[${quote(topology)}]`)
    for (const { address } of scores) lines.push(`    ${idOf.get(address)}[${quote(address)}]`)
    lines.push('  end')
    for (const { address, after } of scores)
      for (const each of after) if (idOf.has(each)) lines.push(`  ${idOf.get(each)} --> ${idOf.get(address)}`)
  })
  return `${lines.join('\n')}\n`
}
