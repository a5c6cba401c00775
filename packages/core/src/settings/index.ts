/// <reference types="node" preserve="true" />
/** The settings of a Linux host, over its files and a few calls: real and simulated hosts share them. */
import type { SystemSettings } from '../capabilities/system.ts'
import { hostNameOn } from './host-name.ts'
import { kernelOn } from './kernel.ts'
import type { SettingsOn } from './on.ts'
import { timeZoneOn } from './time-zone.ts'

export type { SettingsOn, ShownByKernel } from './on.ts'

/** All settings of a host. */
export function hostSettings(on: SettingsOn): SystemSettings {
  return { hostName: hostNameOn(on), timeZone: timeZoneOn(on), kernel: kernelOn(on) }
}
