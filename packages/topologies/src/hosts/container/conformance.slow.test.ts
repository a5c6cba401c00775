import type { Host } from '@harmony-iac/core/host'
import { afterAll, beforeAll, describe } from 'vitest'
import {
  type PlainContainer,
  type PlainSystem,
  plainContainers,
  startPlainContainer,
} from '../../../../../scripts/testing/plain-container.ts'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { fileKinds } from '../../../test/file-kinds.ts'
import { remoteStage } from '../../../test/local-stage.ts'
import { inContainer } from './container.ts'

describe.each<PlainSystem>(['debian', 'busybox'])('in a container of %s', (system) => {
  describeWith(plainContainers[system], 'by the engine', () => {
    let plain: PlainContainer
    let host: Host
    beforeAll(async () => {
      plain = await startPlainContainer(system)
      host = inContainer(plain.name, { socket: plain.socket })
    })
    afterAll(async () => {
      await host?.close()
      await plain?.[Symbol.asyncDispose]()
    })

    // Hundreds of passes, each of which starts a program for its lock, would take a quarter of an hour. Who is killed
    // there is this side, which is the same over SSH, where they are played.
    fileKinds(
      () => remoteStage(host),
      (check) => !check.endsWith('survives kills'),
    )
  })
})
