/** What the kinds share that set what every host has: nothing is made, so nothing is missing, and what was is put back. */
import { HarmonyError, type Json } from '@harmony-iac/core'
import type { KeptSetting, Setting, SettingChange } from '@harmony-iac/core/capabilities'

/**
 * Puts back what was there before. Without a word of what that was, all stays as it is: a host has to be called
 * something.
 */
export async function putBackSetting<Wish>(
  setting: Setting<Wish, unknown>,
  wish: Wish,
  previous: Json | undefined,
  change: SettingChange,
): Promise<void> {
  if (previous === undefined) return
  if (typeof previous !== 'object' || previous === null || Array.isArray(previous))
    throw new HarmonyError('ledger-corrupt', 'the ledger does not say what was there before', {
      hint: 'put it right by hand, and remove the Score with retain: true',
    })
  await setting.putBack(wish, previous as KeptSetting, change)
}
