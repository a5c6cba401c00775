import { expect, test } from 'vitest'
import { type CommandName, commandEntry, commands, optionEntry } from './commands/table.ts'
import { explain } from './usage.ts'

const io = { out: { write() {}, isTTY: false, columns: 100 } }
const names = Object.keys(commands) as CommandName[]

test('the help lists every command', async () => {
  const { status, text } = await explain(['--help'], io)
  expect(status).toBe(0)
  for (const name of names) expect(text).toContain(`harmony ${name}`)
})

test.each(names)('the help of %s has its examples and every option', async (name) => {
  const { status, text } = await explain([name, '--help'], io)
  expect(status).toBe(0)
  for (const [words] of commandEntry(name).examples) expect(text).toContain(words)
  for (const option of commandEntry(name).options) {
    expect(text).toContain(`--${option}`)
    const { value } = optionEntry(option)
    if (value) expect(text).toContain(`${value}: `)
  }
  expect(await explain(['help', name], io)).toEqual({ status, text })
})

test.each([
  [['plna'], 'there is no command plna; did you mean plan?'],
  [['validate'], 'did you mean check?'],
  [['status'], 'did you mean drift?'],
  [['up'], 'did you mean apply?'],
  [['constructor'], 'there is no command constructor\n'],
  [['plan', '--jsn'], 'unknown option --jsn; did you mean --json?'],
  [['plan', '-x'], 'unknown option -x\n'],
  [['plan', '--yes'], 'plan does not take --yes'],
  [['plan', 'my-site'], 'does not take the word my-site; a project is named with -p my-site'],
  [['init', 'a', 'b'], 'init does not take the word b\n'],
  [['init'], '<NAME> is missing'],
  [['apply', '--parallel', 'x'], '--parallel takes a whole number from 1'],
  [['apply', '--target'], 'a value is missing after --target'],
  [['plan', '--\x1b[31m'], '␛[31m'],
])('%j is refused in words', async (argv, words) => {
  const { status, text } = await explain(argv, io)
  expect(status).toBe(64)
  expect(text).toContain(words)
  expect(text).toMatch(/See: harmony( \w+)? --help\n$/)
  expect(text).not.toContain('\x1b')
})

test('the version is told after a command, too', async () => {
  for (const option of ['-v', '--version'])
    expect(await explain(['plan', option], io)).toEqual({
      status: 0,
      text: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/),
    })
})

test('no command at all is a mistake, and shows the help', async () => {
  const { status, text } = await explain([], io)
  expect(status).toBe(64)
  expect(text).toContain('Commands:')
})
