import { expect, test } from 'vitest'
import { objection, readRehearsal, same } from './rehearsal.ts'

const said = `Reading package lists...
The following additional packages will be installed:
  kit-lib
The following packages will be REMOVED:
  kit-a
The following packages will be DOWNGRADED:
  kit-app kit-tool
  kit-third
1 upgraded, 2 newly installed, 2 downgraded, 1 to remove and 0 not upgraded.
Remv kit-a [1.0]
Inst kit-lib (1.0 localhost [all])
Inst kit-app [2.0] (1.0 localhost [all])
Inst libc6:armhf (2.36 Debian:12 [armhf])
Purg kit-old
Conf kit-lib (1.0 localhost [all])`

test('a rehearsal tells what comes, changes and goes', () => {
  expect(readRehearsal(said)).toEqual({
    brings: ['kit-lib', 'libc6:armhf'],
    changes: ['kit-app'],
    removes: ['kit-a', 'kit-old'],
    downgrades: ['kit-app', 'kit-tool', 'kit-third'],
    essential: [],
  })
})

test('what is essential is told, though apt goes no further then', () => {
  const refused = `The following packages will be REMOVED:
  bash
WARNING: The following essential packages will be removed.
This should NOT be done unless you know exactly what you are doing!
  bash libfoo (due to bash)
0 upgraded, 0 newly installed, 1 to remove and 0 not upgraded.
E: Essential packages were removed and -y was used without --allow-remove-essential.`
  expect(readRehearsal(refused).essential).toEqual(['bash', 'libfoo'])
})

const nothing = { brings: [], changes: [], removes: [], downgrades: [], essential: [] }
test.each([
  ['what was asked for', { ...nothing, brings: ['a', 'b'] }, undefined],
  ['removing what is to go', { ...nothing, removes: ['gone'] }, undefined],
  [
    'removing something else',
    { ...nothing, removes: ['gone', 'x', 'y'] },
    'would also remove x, y, which nobody has asked for',
  ],
  ['going back to a version that was named', { ...nothing, downgrades: ['pinned'] }, undefined],
  [
    'going back to an older version',
    { ...nothing, downgrades: ['a'] },
    'would put a back to an older version',
  ],
  [
    'removing what is essential',
    { ...nothing, removes: ['gone'], essential: ['gone'] },
    'without which the host does not work',
  ],
])('%s', (_, would, message) => {
  const asked = {
    install: [
      { name: 'a', version: undefined },
      { name: 'pinned', version: '1' },
    ],
    remove: ['gone'],
  }
  const error = objection(would, asked)
  if (message === undefined) expect(error).toBeUndefined()
  else expect(error?.message).toContain(message)
})

test.each([
  ['a', 'a', true],
  ['a:amd64', 'a', true],
  ['a', 'a:armhf', true],
  ['a:amd64', 'a:armhf', false],
  ['a', 'b', false],
])('%s and %s mean one package: %s', (asked, named, are) => {
  expect(same(asked, named)).toBe(are)
})
