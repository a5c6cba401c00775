import { expect, test } from 'vitest'
import { commandFirst, parseArguments } from './arguments.ts'

test.each([
  ['plan', { command: 'plan', positionals: [], options: {} }],
  ['plan -p here --json', { command: 'plan', positionals: [], options: { project: 'here', json: true } }],
  ['plan --project=here', { command: 'plan', positionals: [], options: { project: 'here' } }],
  ['apply -y --parallel 3', { command: 'apply', positionals: [], options: { yes: true, parallel: 3 } }],
  [
    'apply --no-check --no-color',
    { command: 'apply', positionals: [], options: { 'no-check': true, 'no-color': true } },
  ],
  ['plan -t a --target b', { command: 'plan', positionals: [], options: { target: ['a', 'b'] } }],
  ['drift localhost', { command: 'drift', positionals: ['localhost'], options: {} }],
  ['schema event step', { command: 'schema', positionals: ['event', 'step'], options: {} }],
])('%s is understood', (line, expected) => {
  const args = parseArguments(line.split(' '))
  expect({ ...args, options: { ...args?.options } }).toEqual(expected)
})

test.each([
  '',
  '--help',
  'plna',
  'plan --help',
  'plan --jsn',
  'plan extra',
  'plan --project',
  'plan --project=',
  'plan --json=yes',
  'plan --yes',
  'apply --parallel 0',
  'apply --parallel x',
  'apply --parallel 1.5',
  'init',
  'init a b',
  'constructor',
])('%s is left to be explained', (line) => {
  expect(parseArguments(line === '' ? [] : line.split(' '))).toBeUndefined()
})

test.each([
  [
    ['-p', 'site', 'plan'],
    ['plan', '-p', 'site'],
  ],
  [
    ['--json', '--project=plan', 'apply', '-y'],
    ['apply', '--json', '--project=plan', '-y'],
  ],
  [
    ['-p', 'plan', 'apply'],
    ['apply', '-p', 'plan'],
  ],
  [
    ['plan', '-p', 'site'],
    ['plan', '-p', 'site'],
  ],
  [['--help'], ['--help']],
  [
    ['-p', 'plan'],
    ['-p', 'plan'],
  ],
  [[], []],
])('%j is the command line %j', (given, argv) => {
  expect(commandFirst(given)).toEqual(argv)
})
