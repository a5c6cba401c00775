/** Names that somebody may have meant, by the pairs of letters that they share (Dice's coefficient). */

const alike = 0.5

/** The nearest of these, the best first; none when nothing is near. */
export function near(name: string, among: readonly string[], most = 3): readonly string[] {
  const wanted = pairs(name)
  return among
    .map((each) => ({ each, score: likeness(wanted, pairs(each)) }))
    .filter(({ score }) => score >= alike)
    .sort((a, b) => b.score - a.score || (a.each < b.each ? -1 : 1))
    .slice(0, most)
    .map(({ each }) => each)
}

function pairs(name: string): ReadonlySet<string> {
  const text = name.toLowerCase().replace(/[^a-z0-9]/g, '')
  return new Set(Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2)))
}

function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (a.size + b.size === 0) return 0
  return (2 * [...a].filter((pair) => b.has(pair)).length) / (a.size + b.size)
}
