import { expect, test } from 'vitest'
import { SimulatedTopology } from './simulated.ts'

async function machine() {
  const here = new SimulatedTopology()
  here.containers.addImage('app:1')
  here.containers.run('web', { image: 'app:1', restart: { policy: 'always' } })
  const settings = (await here.containers.container('web'))?.settings
  if (!settings) throw new Error('there is no container')
  return { here, settings }
}

test('a container that crashes is started again as its policy says, while time goes by', async () => {
  const { here, settings } = await machine()
  here.containers.behave('app:1', { endMs: 1000, exit: 3 })
  await here.containers.create('loop', { ...settings, restart: { policy: 'on-failure', attempts: 2 } })
  await here.containers.start('loop')
  const after = async (ms: number) => {
    await here.clock.sleep(ms)
    return await here.containers.container('loop')
  }
  expect(await after(500)).toMatchObject({ status: 'running', restarts: 0 })
  expect(await after(550)).toMatchObject({ status: 'restarting', exitCode: 3 })
  expect(await after(100)).toMatchObject({ status: 'running', restarts: 1, restartsSeen: 1 })
  expect(await after(5000)).toMatchObject({ status: 'exited', restarts: 2 })
})

test('health takes its time, or never comes', async () => {
  const { here, settings } = await machine()
  const health = { command: 'true', intervalMs: 1000, timeoutMs: 1000, retries: 2, startPeriodMs: 0 }
  here.containers.behave('app:1', { healthyMs: 'never' })
  await here.containers.create('ill', { ...settings, health })
  await here.containers.start('ill')
  const patience = { stableForMs: 1, patienceMs: 60_000 }
  expect(await here.containers.settled('ill', patience)).toMatchObject({ health: 'unhealthy' })
})

test('it refuses what a runtime refuses', async () => {
  const { here, settings } = await machine()
  const { containers } = here
  const refusal = { code: 'refused' }
  await expect(containers.create('web', settings)).rejects.toMatchObject(refusal)
  await expect(containers.create('x', { ...settings, image: 'nope:1' })).rejects.toMatchObject(refusal)
  const networks = [{ name: 'nowhere', aliases: [] }]
  await expect(containers.create('x', { ...settings, networks })).rejects.toMatchObject(refusal)
  await expect(containers.start('nobody')).rejects.toMatchObject(refusal)
  await expect(containers.removeImage('app:1')).rejects.toMatchObject(refusal)
  await expect(containers.pull('nope:1')).rejects.toMatchObject(refusal)
  const ports = [{ host: 80, container: 80, protocol: 'tcp' as const }]
  for (const name of ['one', 'two']) await containers.create(name, { ...settings, ports })
  await containers.start('one')
  await expect(containers.start('two')).rejects.toMatchObject({
    message: 'two cannot have port 80: the container one has it',
  })
})

test('a process that was killed has started nothing', async () => {
  const { here, settings } = await machine()
  await here.containers.create('app', settings)
  await here.containers.start('app')
  expect((await here.containers.container('app'))?.startedMsAgo).toBe(0)
  here.faults.kill()
  here.restart()
  expect((await here.containers.container('app'))?.startedMsAgo).toBeUndefined()
})
