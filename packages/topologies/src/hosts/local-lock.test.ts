import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, readFileSync, symlinkSync, unlinkSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openDescriptors, scratch } from '../../test/scratch.ts'
import { localHost } from './local.ts'

const host = localHost()
const lock = (path: string, holder = 'us', waitMs = 0) => host.lock(path, { holder, waitMs })

/** Another process that takes the lock and holds it until it is killed. */
async function holderProcess(path: string, holder: string): Promise<ChildProcess> {
  const program = `
    import { lockLocally } from '${new URL('local-lock.ts', import.meta.url)}'
    await lockLocally(${JSON.stringify(path)}, { holder: ${JSON.stringify(holder)}, waitMs: 0 })
    console.log('held')
    setInterval(() => {}, 1000)
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, 'data'),
    once(child, 'exit').then(() => {
      throw new Error('the holder has not taken the lock')
    }),
  ])
  return child
}

describe('a lock', () => {
  test('lets one in at a time', async () => {
    const path = `${scratch()}/lock`
    const held = await lock(path)
    await expect(lock(path)).rejects.toMatchObject({ code: 'locked' })
    await held.release()
    await (await lock(path)).release()
  })

  test('names its holder to whoever finds it held', async () => {
    const path = `${scratch()}/lock`
    const held = await lock(path, 'root@kiosk, harmony apply, pid 4711')
    const heard: string[] = []
    const waiting = host.lock(path, { holder: 'me', waitMs: 100, onWait: (holder) => heard.push(holder) })
    await expect(waiting).rejects.toMatchObject({
      code: 'locked',
      message: `${path} is held by root@kiosk, harmony apply, pid 4711; waited 0.1 s`,
      data: { holder: 'root@kiosk, harmony apply, pid 4711' },
    })
    expect(heard).toEqual(['root@kiosk, harmony apply, pid 4711'])
    await held.release()
  })

  test('names nobody who has left', async () => {
    const path = `${scratch()}/lock`
    await (await lock(path, 'a much longer name of the first')).release()
    const held = await lock(path, 'second')
    expect(readFileSync(path, 'utf8')).toBe('second')
    await held.release()
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  test('goes to who waits as soon as it is released', async () => {
    const path = `${scratch()}/lock`
    const first = await lock(path)
    const second = await new Promise<Awaited<ReturnType<typeof lock>>>((resolve, reject) => {
      host
        .lock(path, { holder: 'second', waitMs: 20_000, onWait: () => void first.release() })
        .then(resolve, reject)
    })
    expect(readFileSync(path, 'utf8')).toBe('second')
    await second.release()
  })

  test('lets two contenders in one after the other', async () => {
    const path = `${scratch()}/lock`
    let inside = 0
    let most = 0
    const enter = async (holder: string) => {
      const held = await lock(path, holder, 20_000)
      most = Math.max(most, ++inside)
      await new Promise(setImmediate)
      inside--
      await held.release()
    }
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(enter))
    expect(most).toBe(1)
  })

  test('ends with a process that is killed, at once', async () => {
    const path = `${scratch()}/lock`
    const child = await holderProcess(path, 'the victim')
    await expect(lock(path)).rejects.toMatchObject({ code: 'locked', data: { holder: 'the victim' } })
    child.kill('SIGKILL')
    await once(child, 'exit')
    await (await lock(path)).release()
  })

  test('goes to who waits when its holder is killed', async () => {
    const path = `${scratch()}/lock`
    const child = await holderProcess(path, 'the victim')
    const held = await host.lock(path, {
      holder: 'heir',
      waitMs: 20_000,
      onWait: () => child.kill('SIGKILL'),
    })
    await held.release()
  })

  test('is not inherited by programs that run meanwhile', async () => {
    const path = `${scratch()}/lock`
    const held = await lock(path)
    const abort = new AbortController()
    const running = host.exec(['sleep', '300'], { signal: abort.signal })
    onTestFinished(() => abort.abort())
    await held.release()
    await (await lock(path)).release()
    abort.abort()
    await expect(running).rejects.toMatchObject({ code: 'interrupted' })
  })

  test('can be given up while waiting', async () => {
    const path = `${scratch()}/lock`
    const held = await lock(path)
    const abort = new AbortController()
    const before = openDescriptors()
    const waiting = host.lock(path, {
      holder: 'me',
      waitMs: 20_000,
      signal: abort.signal,
      onWait: () => abort.abort(),
    })
    await expect(waiting).rejects.toMatchObject({ code: 'interrupted' })
    expect(openDescriptors()).toBe(before)
    await held.release()
  })

  test('leaves no descriptor and no process behind', async () => {
    const path = `${scratch()}/lock`
    await (await lock(path)).release()
    const before = openDescriptors()
    const held = await lock(path)
    await lock(path, 'other', 50).catch(() => {})
    await held.release()
    await held.release()
    expect(openDescriptors()).toBe(before)
    expect(readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')).toBe('')
  })

  test('is not taken through a link', async () => {
    const dir = scratch()
    symlinkSync(`${dir}/victim`, `${dir}/lock`)
    await expect(lock(`${dir}/lock`)).rejects.toMatchObject({ code: 'ELOOP' })
    expect(existsSync(`${dir}/victim`)).toBe(false)
  })

  test('says what to install where flock is missing', async () => {
    const path = `${scratch()}/lock`
    const before = process.env.PATH
    const failing = lockWithout(path)
    await expect(failing).rejects.toMatchObject({
      code: 'command-failed',
      hint: expect.stringContaining('util-linux'),
    })
    expect(process.env.PATH).toBe(before)
  })
})

describe('a lock file that is removed on release', () => {
  test('is gone afterwards', async () => {
    const path = `${scratch()}/lock`
    await (await lock(path)).release({ removeFile: true })
    expect(existsSync(path)).toBe(false)
  })

  test('does not let in who waited for the removed file beside who locked a new one', async () => {
    const path = `${scratch()}/lock`
    const first = await lock(path)
    let newcomer: Awaited<ReturnType<typeof lock>> | undefined
    const waiting = host.lock(path, {
      holder: 'waiting',
      waitMs: 300,
      onWait: () => {
        // By the time that the waiting one gets the old file's lock, there is a new file, and it is locked.
        unlinkSync(path)
        lock(path, 'newcomer').then(
          async (held) => {
            newcomer = held
            await first.release()
          },
          () => {},
        )
      },
    })
    await expect(waiting).rejects.toMatchObject({ code: 'locked', data: { holder: 'newcomer' } })
    await newcomer?.release()
  })

  test('is left alone when somebody has put another one there', async () => {
    const path = `${scratch()}/lock`
    const first = await lock(path)
    unlinkSync(path)
    const second = await lock(path, 'second')
    const { ino } = lstatSync(path)
    await first.release({ removeFile: true })
    expect(lstatSync(path).ino).toBe(ino)
    await second.release()
  })
})

/** Takes a lock where the search path leads nowhere. */
async function lockWithout(path: string): Promise<unknown> {
  const { lockLocally } = await import('./local-lock.ts')
  return lockLocally(path, { holder: 'me', waitMs: 0 }, '/nonexistent')
}
