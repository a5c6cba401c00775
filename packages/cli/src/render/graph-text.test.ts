import { expect, test } from 'vitest'
import { drawDot, drawMermaid } from './graph-text.ts'

const drawn = {
  project: 'site "x"',
  topologies: [
    {
      topology: 'here',
      scores: [
        { address: 'Directory:/a', kind: 'Directory', parent: undefined, after: [] },
        { address: 'File:/a/"b"<c>\x1b', kind: 'File', parent: undefined, after: ['Directory:/a'] },
      ],
    },
  ],
}

test('for Graphviz, with quotes and control characters harmless', () => {
  expect(drawDot(drawn)).toBe(`digraph "site \\"x\\"" {
  rankdir=LR
  node [shape=box, fontname="sans-serif"]
  subgraph cluster_0 {
    label="here"
    "here/Directory:/a" [label="Directory:/a"]
    "here/File:/a/\\"b\\"<c>␛" [label="File:/a/\\"b\\"<c>␛"]
  }
  "here/Directory:/a" -> "here/File:/a/\\"b\\"<c>␛"
}
`)
})

test('for Mermaid', () => {
  expect(drawMermaid(drawn)).toBe(`flowchart LR
  subgraph t0["here"]
    t0s0["Directory:/a"]
    t0s1["File:/a/#34;b#34;#60;c#62;␛"]
  end
  t0s0 --> t0s1
`)
})
