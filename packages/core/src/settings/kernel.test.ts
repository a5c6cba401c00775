import { expect, test } from 'vitest'
import { HarmonyError } from '../errors.ts'
import { SimulatedTopology } from '../testing/simulated.ts'
import { kernelOn } from './kernel.ts'
import type { SettingsOn } from './on.ts'
import { sysctlFile } from './sysctl-place.ts'

test('a value that the kernel refuses is not left for the next start', async () => {
  const { files } = new SimulatedTopology()
  const key = 'net.ipv4.ip_forward'
  const kernel = kernelOn({
    files,
    shown: async () => ({ type: 'value', text: '0' }),
    isWritable: async () => true,
    async write() {
      throw new HarmonyError('refused', 'Invalid argument')
    },
  } as unknown as SettingsOn)
  await expect(kernel.set({ key, value: 'many' })).rejects.toMatchObject({ code: 'refused' })
  expect(await files.inspect(sysctlFile(key))).toMatchObject({ type: 'absent' })
})
