import { secret } from '@harmony-iac/core'
import { type Attendant, attend, type Question } from '@harmony-iac/core/attendant'
import { describe, expect, onTestFinished, test } from 'vitest'
import { asking, type PasswordWanted } from './asking.ts'

const wanted: PasswordWanted = {
  key: 'sudo pi@kiosk:22',
  about: 'kiosk',
  prompt: 'password of pi for sudo',
  refused: undefined,
  secret: undefined,
  batch: false,
  otherwise: 'do something else',
}

/** Somebody with these answers; what they were asked, and whether two questions were ever open at once. */
function somebody(answers: readonly (string | undefined)[], change: Partial<Attendant> = {}) {
  const asked: Question[] = []
  const left = [...answers]
  let open = 0
  onTestFinished(
    attend({
      present: true,
      async ask(question) {
        expect(++open).toBe(1)
        asked.push(question)
        await new Promise((resolve) => setImmediate(resolve))
        open--
        if (left.length === 0) throw new Error('asked too often')
        return left.shift()
      },
      secret: async () => 'from the vault',
      ...change,
    }),
  )
  return asked
}

describe('a password', () => {
  test('is asked for once, by however many who want it, and again when it was refused', async () => {
    const asked = somebody(['first', 'second'])
    const people = asking()
    const all = await Promise.all([1, 2, 3].map(() => people.password(wanted)))
    expect(all).toEqual(['first', 'first', 'first'])
    const again = await Promise.all([1, 2].map(() => people.password({ ...wanted, refused: 'first' })))
    expect(again).toEqual(['second', 'second'])
    expect(asked).toEqual([
      { about: 'kiosk', prompt: wanted.prompt, hidden: true },
      { about: 'kiosk', prompt: wanted.prompt, hidden: true, introduction: 'That was not accepted.' },
    ])
  })

  test('of another host is another question, which waits for its turn', async () => {
    const asked = somebody(['one', 'two'])
    const people = asking()
    const other = { ...wanted, key: 'sudo pi@door:22', about: 'door' }
    expect(await Promise.all([people.password(wanted), people.password(other)])).toEqual(['one', 'two'])
    expect(asked.map(({ about }) => about)).toEqual(['kiosk', 'door'])
  })

  test.each([
    ['nobody is there', { present: false }, {}, 'is needed, and nobody can be asked for it'],
    ['nobody may be asked', {}, { batch: true }, 'is needed, and nobody can be asked for it'],
    ['nothing is answered', {}, {}, 'is needed, and none was given'],
  ])('is told to be missing where %s', async (_, attendant, change, words) => {
    somebody([''], attendant)
    await expect(asking().password({ ...wanted, ...change })).rejects.toMatchObject({
      code: 'auth-failed',
      message: `kiosk: the password of pi for sudo ${words}`,
      hint: 'do something else',
    })
  })

  test('in a secret is not asked for, nor tried twice', async () => {
    const asked = somebody([])
    const people = asking()
    const kept = { ...wanted, secret: secret('kiosk') }
    expect(await people.password(kept)).toBe('from the vault')
    await expect(people.password({ ...kept, refused: 'from the vault' })).rejects.toMatchObject({
      code: 'auth-failed',
      message: 'kiosk: the secret kiosk is not the password of pi for sudo',
    })
    expect(asked).toEqual([])
  })

  test('can be asked for again after a question that failed', async () => {
    somebody([])
    const people = asking()
    await expect(people.password(wanted)).rejects.toThrow('asked too often')
    somebody(['now'])
    expect(await people.password(wanted)).toBe('now')
  })
})
