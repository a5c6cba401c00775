/**
 * What the compiler says is part of the product: the refusal, on the offending element, with the capability and the
 * topology named. The fixture is compiled with the native compiler, once with our strict settings and once without
 * `strict`, as some projects are.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const fixture = join(import.meta.dirname, 'fixtures/kernel.ts')
const source = readFileSync(fixture, 'utf8').split('\n')
const expected = source.flatMap((line, i) => {
  const found = line.match(/^\s*\/\/ error: (.*)$/)
  return found ? [{ line: i + 2, message: found[1] as string }] : []
})

function compile(...options: string[]): Map<number, string> {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const base = [
    '--noEmit',
    '--pretty',
    'false',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--types',
    'node',
  ]
  const flags = [
    ...base,
    '--allowImportingTsExtensions',
    '--skipLibCheck',
    '--ignoreConfig',
    ...options,
    fixture,
  ]
  let output = ''
  try {
    execFileSync(process.execPath, [tsc, ...flags], { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    output = (error as { stdout: string }).stdout
  }
  const found = new Map<number, string>()
  let line = 0
  for (const text of output.split('\n')) {
    const head = text.match(/kernel\.ts\((\d+),\d+\): error/)
    const other = text.match(/^\S+\(\d+,\d+\): error/)
    if (head) line = Number(head[1])
    else if (other) throw new Error(`an error outside the fixture: ${text}`)
    if (line > 0 && text) found.set(line, `${found.get(line) ?? ''}${text}\n`)
  }
  return found
}

describe('the compiler refuses, on the offending line, with the reason in the last line', () => {
  const strict = compile('--strict', '--exactOptionalPropertyTypes')

  test.each(expected)('line $line: $message', ({ line, message }) => {
    expect(strict.get(line)).toContain(message)
  })

  test('nothing else in the fixture is refused', () => {
    expect([...strict.keys()].sort((a, b) => a - b)).toEqual(expected.map(({ line }) => line))
  })

  test('a missing capability is refused in a project without strict as well', () => {
    const lax = compile('--strict', 'false')
    for (const { line, message } of expected)
      if (message.startsWith("Property 'loadBalancer' is missing in type 'PiTopology'"))
        expect(lax.get(line)).toContain(message)
  })
})
