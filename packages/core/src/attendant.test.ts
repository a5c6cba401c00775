import { expect, onTestFinished, test } from 'vitest'
import { type Attendant, attend, attendant } from './attendant.ts'
import { secret } from './late.ts'

const answering = (answer: string): Attendant => ({
  present: true,
  ask: async () => answer,
  secret: async () => answer,
})
const question = { about: 'kiosk', prompt: 'password of pi', hidden: true }

test('where nobody attends there is no answer, and no secret is known', async () => {
  expect(attendant().present).toBe(false)
  expect(await attendant().ask(question)).toBeUndefined()
  await expect(attendant().secret(secret('kiosk'))).rejects.toMatchObject({
    code: 'secret-missing',
    message: 'the secret kiosk is not known',
    hint: expect.stringContaining('attend'),
  })
})

test('who attends last answers, until they leave, in whatever order that is', async () => {
  const first = attend(answering('first'))
  onTestFinished(first)
  const second = attend(answering('second'))
  expect(await attendant().ask(question)).toBe('second')
  first()
  expect(await attendant().ask(question)).toBe('second')
  second()
  expect(await attendant().ask(question)).toBe('first')
})
