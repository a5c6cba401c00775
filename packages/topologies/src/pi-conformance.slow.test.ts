import type { Host } from '@harmony-iac/core/host'
import { afterAll, beforeAll } from 'vitest'
import { describeWith } from '../../../scripts/testing/require-part.ts'
import { fileKinds } from '../test/file-kinds.ts'
import { remoteStage } from '../test/local-stage.ts'
import { type Sshd, sshdPart, startSshd } from '../test/sshd.ts'
import { sshHost } from './hosts/ssh/host.ts'

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

  fileKinds(() => remoteStage(host))
})
