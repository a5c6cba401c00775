/** The services of a real systemd, in a container. */
import { conduct } from '@harmony-iac/core/testing'
import { File, SystemdService, SystemdTimer } from '@harmony-iac/scores'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { containerHost } from '../../../../../scripts/testing/container-host.ts'
import { type LinuxHost, startLinuxHost } from '../../../../../scripts/testing/linux-host.ts'
import { engine, enginePart } from '../../../../../scripts/testing/engine.ts'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
