import { describe, test } from 'vitest'
import { requestsConformance } from '../testing/requests-conformance.ts'
import { MemoryCarrier } from './memory-carrier.ts'

describe('requests within a process', () => {
  const checks = requestsConformance({
    name: 'memory',
    open: async () => {
      const carrier = new MemoryCarrier()
      return {
        carrier,
        listen: async (agent, serve) => carrier.listen(agent, serve),
        [Symbol.asyncDispose]: async () => {},
      }
    },
  })
  for (const { name, run } of checks) test(name, run)
})
