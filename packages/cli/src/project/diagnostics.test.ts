import { expect, test } from 'vitest'
import { explainMismatch, readDiagnostics } from './diagnostics.ts'

const mismatch = `harmony.ts(3,3): error TS2322: Type 'Score<{ readonly loadBalancer: LoadBalancer; }, unknown>' is not assignable to type 'Scores<PiTopology>'.
  Type 'Score<{ readonly loadBalancer: LoadBalancer; }, unknown>' is not assignable to type 'Score<PiTopology, unknown>'.
    Property 'loadBalancer' is missing in type 'PiTopology' but required in type '{ readonly loadBalancer: LoadBalancer; }'.`

test('problems with their continuation lines, and those of no file', () => {
  const found = readDiagnostics(
    `${mismatch}\n../lib/a b.ts(10,20): error TS1: x\nerror TS18003: No inputs were found.\n`,
    '/p/q',
  )
  expect(found).toEqual([
    {
      file: '/p/q/harmony.ts',
      line: 3,
      column: 3,
      code: 'TS2322',
      text: mismatch.slice('harmony.ts(3,3): error TS2322: '.length),
    },
    { file: '/p/lib/a b.ts', line: 10, column: 20, code: 'TS1', text: 'x' },
    { file: undefined, line: 0, column: 0, code: 'TS18003', text: 'No inputs were found.' },
  ])
})

const [one] = readDiagnostics(mismatch, '/p')
const explain = (source: string | undefined, text?: string) =>
  one && explainMismatch({ ...one, ...(text === undefined ? {} : { text }) }, source)

test.each([
  ['a Score', '\n\n  LoadBalancer({ name: 1 }),', 'LoadBalancer needs'],
  ['a constant', 'const site = LoadBalancer({})\n\n  site,', 'LoadBalancer needs'],
  ['a mapped list', '\n\n  hosts.map((host) => Site({ host })),', 'Site needs'],
  ['a mixture', '\n\n  a ? Site({}) : Other({}),', 'this Score needs'],
  ['something else', '\n\n  make(),', 'this Score needs'],
])('%s: the kind is named where it can be', (_, source, needer) => {
  expect(explain(source)).toBe(`PiTopology does not offer loadBalancer, which ${needer}`)
})

test('several capabilities, and optional ones', () => {
  const first = mismatch.split('\n')[0] ?? ''
  expect(
    explain(
      undefined,
      `${first}\n  Type 'PiTopology' is missing the following properties from type '{ … }': services, containers`,
    ),
  ).toBe('PiTopology does not offer services and containers, which this Score needs')
  expect(
    explain(
      undefined,
      `${first}\n  Property 'a' is optional in type 'PiTopology' but required in type '{ a: A }'.`,
    ),
  ).toBe('PiTopology may not offer a, which this Score needs')
})

test('other problems are left to the compiler', () => {
  expect(explain(undefined, "Type 'number' is not assignable to type 'string'.")).toBeUndefined()
  expect(
    explain(undefined, "Property 'content' is missing in type '{}' but required in type 'FileSpec'."),
  ).toBeUndefined()
})

test('after a spread the element that is blamed is not named: it may be innocent', () => {
  const text = mismatch
    .replace("Type 'Score<", "Type 'Score<{ readonly files: FileSystem; }, unknown> | Score<")
    .replace(/^.*?TS2322: /, '')
  expect(explain('\n\n  Directory({}),', text)).toBe(
    'PiTopology does not offer loadBalancer, which a Score in this list (nest lists instead of spreading them) needs',
  )
})

test.each([
  [
    'a forgotten import of File',
    'TS2348',
    "Value of type '{ new (fileBits: BlobPart[], fileName: string): File; }' is not callable.",
    "import { File } from '@harmony-iac/scores'",
  ],
  [
    'packages that are not installed',
    'TS2307',
    "Cannot find module '@harmony-iac/core' or its corresponding type declarations.",
    'npm install',
  ],
  ['types that are not installed', 'TS2688', "Cannot find type definition file for 'node'.", 'npm install'],
])('%s', (_, code, text, cure) => {
  expect(one && explainMismatch({ ...one, code, text }, undefined)).toContain(cure)
})

test('a job on a machine without a shell is told how to get one', () => {
  const text = mismatch
    .replaceAll('PiTopology', 'LocalTopology')
    .replaceAll('loadBalancer', 'shell')
    .replace(/^.*?TS2322: /, '')
  expect(explain('\n\n  ShellJob({}),', text)).toBe(
    'LocalTopology does not offer shell, which ShellJob needs: new LocalTopology({ shell: true })',
  )
})
