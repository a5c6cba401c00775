import { expect, test } from 'vitest'
import { lookUpName, pullQuery, registryAuth, tagQuery } from './references.ts'

const digest = `sha256:${'a'.repeat(64)}`

test.each([
  ['nginx:1.27', 'nginx:1.27', { fromImage: 'nginx', tag: '1.27' }],
  ['lan:5000/a/b:1', 'lan:5000/a/b:1', { fromImage: 'lan:5000/a/b', tag: '1' }],
  [`nginx@${digest}`, `nginx@${digest}`, { fromImage: 'nginx', tag: digest }],
  [`lan:5000/app:1@${digest}`, `lan:5000/app@${digest}`, { fromImage: 'lan:5000/app', tag: digest }],
])('%s is looked up, and fetched', (reference, name, query) => {
  expect(lookUpName(reference)).toBe(name)
  expect(pullQuery(reference)).toEqual(query)
})

test('an id is looked up as it is, and a port is no tag', () => {
  expect(lookUpName(digest)).toBe(digest)
  expect(tagQuery('lan:5000/app:1')).toEqual({ repo: 'lan:5000/app', tag: '1' })
})

test('a login is sent in the padded alphabet for addresses, which is the one that engines read', () => {
  const header =
    registryAuth('lan:5000/app:1', { username: 'k', password: '???>>>' })['x-registry-auth'] ?? ''
  expect(header).toMatch(/^[\w-]+={0,2}$/)
  expect(header.length % 4).toBe(0)
  expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
    username: 'k',
    password: '???>>>',
    serveraddress: 'lan:5000',
  })
})
