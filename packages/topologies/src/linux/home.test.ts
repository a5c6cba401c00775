import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { faultyHost } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { describeWith } from '../../../../scripts/testing/require-part.ts'
import {
  asOrdinaryUser,
  mounting,
  openDescriptors,
  scratch,
  tinyDisk,
  unprivileged,
} from '../../test/scratch.ts'
import { localHost } from '../hosts/local.ts'
import { hostHome, stateFolder } from './home.ts'

const at = (path: string, host = localHost()) =>
  hostHome(host, { uid: 0, gid: 0, home: '/root', env: { HARMONY_STATE_DIR: path } })
const text = (content: string) => Buffer.from(content)
const options = { holder: 'the test', waitMs: 0 }

test.each([
  [0, {}, '/var/lib/harmony'],
  [0, { XDG_STATE_HOME: '/xdg' }, '/var/lib/harmony'],
  [1000, {}, '/home/me/.local/state/harmony'],
  [1000, { XDG_STATE_HOME: '/xdg' }, '/xdg/harmony'],
  [1000, { XDG_STATE_HOME: 'relative' }, '/home/me/.local/state/harmony'],
  [1000, { XDG_STATE_HOME: '' }, '/home/me/.local/state/harmony'],
  [1000, { XDG_STATE_HOME: '/xdg', HARMONY_STATE_DIR: '/own/' }, '/own'],
  [0, { HARMONY_STATE_DIR: '/a/../b' }, '/b'],
  [0, { HARMONY_STATE_DIR: '' }, '/var/lib/harmony'],
])('the state of user %i with %j is in %s', (uid, env, expected) => {
  expect(stateFolder({ uid, gid: uid, home: '/home/me', env })).toBe(expected)
})

describe('a home that is not there yet', () => {
  test('has nothing in it, and reading makes nothing', async () => {
    const dir = scratch()
    const host = faultyHost(localHost())
    const home = at(`${dir}/a/b`, host)
    expect(await home.read('ledger')).toBeUndefined()
    await home.remove('ledger')
    await home.dissolve()
    expect([readdirSync(dir), host.faults.calls]).toEqual([[], []])
  })

  test('is made, owner-only, with its parents, by the first lock', async () => {
    const dir = scratch()
    const lock = await at(`${dir}/a/b`).lock(options)
    const modes = ['a', 'a/b', 'a/b/lock'].map((name) =>
      (statSync(`${dir}/${name}`).mode & 0o777).toString(8),
    )
    expect(modes).toEqual(['700', '700', '600'])
    await lock.release()
  })

  describeWith(unprivileged, 'and may not be made', () => {
    test('says so, and what to set', async () => {
      const dir = scratch()
      await asOrdinaryUser(async () => {
        chmodIfOwner(dir)
        await expect(at(`${dir}/state`).lock(options)).rejects.toMatchObject({
          code: 'system',
          message: expect.stringContaining(`${dir}/state: permission denied`),
          hint: expect.stringContaining('HARMONY_STATE_DIR'),
        })
      })
    })
  })
})

describe('a home', () => {
  test('keeps what is appended and replaced, and gives it back', async () => {
    const dir = scratch()
    const home = at(`${dir}/state`)
    const lock = await home.lock(options)
    await home.append('journal', text('one\n'))
    await home.append('journal', text('two\n'))
    await home.replace('ledger', text('first'))
    await home.replace('ledger', Uint8Array.of(0, 255))
    expect(Buffer.from((await home.read('journal')) ?? []).toString()).toBe('one\ntwo\n')
    expect(await home.read('ledger')).toEqual(Uint8Array.of(0, 255))
    await home.remove('journal')
    await home.remove('journal')
    expect(readdirSync(`${dir}/state`)).toEqual(['ledger', 'lock'])
    expect(statSync(`${dir}/state/ledger`).mode & 0o777).toBe(0o600)
    await lock.release()
  })

  test('lets one in at a time and names who is in', async () => {
    const dir = scratch()
    const lock = await at(`${dir}/state`).lock({ holder: 'root@kiosk, harmony apply', waitMs: 0 })
    const refused = at(`${dir}/state`).lock(options)
    await expect(refused).rejects.toMatchObject({
      code: 'locked',
      data: { holder: 'root@kiosk, harmony apply' },
    })
    await lock.release()
    await (await at(`${dir}/state`).lock(options)).release()
  })

  test('leaves no descriptor open', async () => {
    const dir = scratch()
    const home = at(`${dir}/state`)
    await (await home.lock(options)).release()
    const before = openDescriptors()
    const lock = await home.lock(options)
    await home.append('journal', text('x'))
    await home.replace('ledger', text('x'))
    await home.read('ledger')
    await home.remove('ledger')
    await home.append('none/x', text('')).catch(() => {})
    await lock.release()
    expect(openDescriptors()).toBe(before)
  })

  test('may be a link to a folder elsewhere', async () => {
    const dir = scratch()
    const lock = await at(`${dir}/real`).lock(options)
    await lock.release()
    symlinkSync('real', `${dir}/state`)
    const home = at(`${dir}/state`)
    const again = await home.lock(options)
    await home.replace('ledger', text('x'))
    expect(readFileSync(`${dir}/real/ledger`, 'utf8')).toBe('x')
    await again.release()
  })

  test('takes the place of what a killed pass has left', async () => {
    const dir = scratch()
    const home = at(`${dir}/state`)
    const lock = await home.lock(options)
    writeFileSync(`${dir}/state/.ledger.harmony~`, 'half')
    await home.replace('ledger', text('whole'))
    expect(readdirSync(`${dir}/state`)).toEqual(['ledger', 'lock'])
    await lock.release()
  })

  test('counts its writes at the port', async () => {
    const host = faultyHost(localHost())
    const home = at(`${scratch()}/state`, host)
    const lock = await home.lock(options)
    await home.append('journal', text('x'))
    await home.replace('ledger', text('x'))
    await home.remove('journal')
    await home.dissolve()
    await lock.release()
    expect(host.faults.calls.map(({ call }) => call)).toEqual([
      ...['mkdir', 'sync', 'lock', 'append', 'create', 'rename', 'sync'],
      ...['unlink', 'sync', 'unlink', 'release'],
    ])
  })
})

describe('dissolving a home', () => {
  test('leaves no trace', async () => {
    const dir = scratch()
    const home = at(`${dir}/state`)
    const lock = await home.lock(options)
    await home.append('journal', text('x'))
    await home.remove('journal')
    await home.dissolve()
    await lock.release()
    expect(readdirSync(dir)).toEqual([])
  })

  test('works without its lock too', async () => {
    const dir = scratch()
    const home = at(`${dir}/state`)
    await (await home.lock(options)).release()
    await home.dissolve()
    expect(readdirSync(dir)).toEqual([])
  })

  test('takes away what killed passes have left, and an empty folder of copies', async () => {
    const dir = scratch()
    const home = at(`${dir}/state`)
    const lock = await home.lock(options)
    mkdirSync(`${dir}/state/kept`)
    for (const name of ['kept/.abc.harmony~', '.ledger.harmony~']) writeFileSync(`${dir}/state/${name}`, '')
    await home.dissolve()
    await lock.release()
    expect(readdirSync(dir)).toEqual([])
  })

  test.each(['ledger', 'kept/copy', 'lost+found'])('leaves %s there, but no lock file', async (name) => {
    const dir = scratch()
    const home = at(`${dir}/state`)
    const lock = await home.lock(options)
    mkdirSync(`${dir}/state/kept`)
    writeFileSync(`${dir}/state/${name}`, '')
    await home.dissolve()
    await lock.release()
    expect([existsSync(`${dir}/state/${name}`), existsSync(`${dir}/state/lock`)]).toEqual([true, false])
  })

  test('a link in the place of the home lost the folder that it led to', async () => {
    const dir = scratch()
    mkdirSync(`${dir}/real`, { mode: 0o700 })
    symlinkSync('real', `${dir}/state`)
    const home = at(`${dir}/state`)
    for (let pass = 0; pass < 2; pass++) {
      const lock = await home.lock(options)
      await home.dissolve()
      await lock.release()
      expect([readdirSync(dir), readdirSync(`${dir}/real`)]).toEqual([['real', 'state'], []])
    }
  })

  test('a folder that a person had made for it was taken away', async () => {
    const dir = scratch()
    mkdirSync(`${dir}/state`, { mode: 0o750 })
    const home = at(`${dir}/state`)
    const lock = await home.lock(options)
    await home.dissolve()
    await lock.release()
    expect(readdirSync(`${dir}/state`)).toEqual([])
  })

  describeWith(mounting, 'that is a mount point', () => {
    test('failed, since a mount point cannot be removed', async () => {
      const disk = tinyDisk(64)
      chmodSync(disk, 0o700)
      const home = at(disk)
      const lock = await home.lock(options)
      await home.dissolve()
      await lock.release()
      expect(readdirSync(disk)).toEqual([])
    })
  })

  describeWith(unprivileged, 'in a folder that may not be changed', () => {
    test.each([
      ['but read', 0o555],
      ['nor read', 0o111],
    ])('%s, it failed although everything was removed', async (_, mode) => {
      const dir = scratch()
      mkdirSync(`${dir}/closed`, { mode: 0o777 })
      chmodSync(`${dir}/closed`, 0o777)
      await asOrdinaryUser(async () => {
        mkdirSync(`${dir}/closed/state`, { mode: 0o700 })
      })
      chmodSync(`${dir}/closed`, mode)
      await asOrdinaryUser(async () => {
        const home = at(`${dir}/closed/state`)
        const lock = await home.lock(options)
        await home.dissolve()
        await lock.release()
        expect(readdirSync(`${dir}/closed/state`)).toEqual([])
      })
    })
  })

  test('is left to whoever holds it', async () => {
    const dir = scratch()
    const lock = await at(`${dir}/state`).lock(options)
    await at(`${dir}/state`).dissolve()
    expect(existsSync(`${dir}/state/lock`)).toBe(true)
    await lock.release()
  })

  test('does not keep the next one out', async () => {
    const dir = scratch()
    const [first, second] = [at(`${dir}/state`), at(`${dir}/state`)]
    const lock = await first.lock(options)
    const waiting = second.lock({
      holder: 'second',
      waitMs: 20_000,
      onWait: () => void first.dissolve().then(() => lock.release()),
    })
    const held = await waiting
    await second.append('journal', text('x'))
    expect(readdirSync(`${dir}/state`)).toEqual(['journal', 'lock'])
    await held.release()
  })
})

/** Who owns the folder may always write in it, unless its mode says otherwise. */
function chmodIfOwner(path: string): void {
  if (statSync(path).uid === process.geteuid?.()) chmodSync(path, 0o555)
}
