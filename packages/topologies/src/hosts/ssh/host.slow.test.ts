import { HarmonyError } from '@harmony-iac/core'
import type { Host } from '@harmony-iac/core/host'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { hostPromises } from '../../../test/host-promises.ts'
import { scratch } from '../../../test/scratch.ts'
import { type Sshd, sshdPart, startSshd } from '../../../test/sshd.ts'
import { localHost } from '../local.ts'
import { sshHost } from './host.ts'

hostPromises('this machine', localHost)

describeWith(sshdPart, 'over SSH', () => {
  let sshd: Sshd
  let host: Host
  beforeAll(async () => {
    sshd = await startSshd()
    host = sshHost('there', async () => sshd.endpoint)
  })
  afterAll(async () => {
    await host.close()
    await sshd.stop()
  })

  hostPromises('a host over SSH', () => host)

  describe('the connection', () => {
    /** A host of its own, so that what is done to it hurts nobody else. */
    async function another(change: Partial<Sshd['endpoint']> = {}) {
      const server = await startSshd()
      const there = sshHost('there', async () => ({ ...server.endpoint, ...change }))
      onTestFinished(async () => {
        await there.close()
        await server.stop()
      })
      return { server, there }
    }

    test('that is lost ends what runs, and the next call makes another', async () => {
      const { server, there } = await another()
      const running = there.exec(['sh', '-c', 'echo on; sleep 30'], { onOutput: () => server.cut() })
      await expect(running).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('was lost'),
      })
      expect((await there.exec(['true'])).exitCode).toBe(0)
    })

    test('that is lost takes the lock with it, and tells', async () => {
      const { server, there } = await another()
      const path = `${scratch()}/lock`
      const held = await there.lock(path, { holder: 'first', waitMs: 0 })
      server.cut()
      if (!held.lost.aborted) await new Promise((resolve) => held.lost.addEventListener('abort', resolve))
      expect(held.lost.reason).toMatchObject({ code: 'unreachable' })
      await held.release()
      await (await there.lock(path, { holder: 'second', waitMs: 5000 })).release()
    })

    test('refused because of the host key says what the check said', async () => {
      const refusal = new HarmonyError('unreachable', 'the host key has changed')
      const { there } = await another({
        checkHostKey() {
          throw refusal
        },
      })
      await expect(there.facts()).rejects.toBe(refusal)
    })

    test('is made again when the host has not waited for an answer', async () => {
      const server = await startSshd(['LoginGraceTime 1'])
      let asked = 0
      const there = sshHost('there', async () => ({
        ...server.endpoint,
        // Shorter than what is thought about it: that does not count.
        connectTimeoutMs: 1500,
        async checkHostKey() {
          if (++asked === 1) await new Promise((resolve) => setTimeout(resolve, 2500))
        },
      }))
      onTestFinished(async () => {
        await there.close()
        await server.stop()
      })
      expect((await there.exec(['true'])).exitCode).toBe(0)
      expect(asked).toBe(2)
    })

    test('refused because of who logs in says so', async () => {
      const { there } = await another({ credentials: [] })
      await expect(there.facts()).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('may not log in with nothing'),
      })
    })

    test('to nobody says so', async () => {
      const { there, server } = await another()
      await server.stop()
      await expect(there.facts()).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('nobody listens at 127.0.0.1'),
      })
    })
  })
})
