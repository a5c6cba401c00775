import { expect, test } from 'vitest'
import { type JsonSchema, typeText } from './types.ts'

test.each<[string, JsonSchema]>([
  ['string', { type: 'string' }],
  ['number', { type: 'integer' }],
  ['string | number', { type: ['string', 'integer'] }],
  ['"a" | "b"', { enum: ['a', 'b'] }],
  ['(string | number)[]', { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number' }] } }],
  [
    '{ a: string, b?: number }',
    { properties: { a: { type: 'string' }, b: { type: 'number' } }, required: ['a'] },
  ],
  ['{ [name]: string }', { type: 'object', additionalProperties: { type: 'string' } }],
  [
    'string | output',
    { anyOf: [{ type: 'string' }, { properties: { $ref: {}, output: {} } }, { properties: { $ref: {} } }] },
  ],
  ['JSON', {}],
])('%s', (text, schema) => {
  expect(typeText(schema)).toBe(text)
})

test('a definition is looked up, so that a secret within a secret has an end', () => {
  expect(typeText({ $ref: '#/$defs/secret' }, { secret: { properties: { $secret: {} } } })).toBe('secret')
})
