/** `harmony inventory`: the facts of a host, as a list or as a document. */
import { HarmonyError } from '@harmony-iac/core/errors'
import { attendHere } from '../attend.ts'
import type { Run } from '../context.ts'
import { hostOf } from '../hosts.ts'
import { inventoryText } from '../render/inventory-text.ts'
import { jsonText } from '../render/sanitize.ts'

export const run: Run = async (context) => {
  const { args, io, interrupts } = context
  const { takeInventory } = await import('@harmony-iac/topologies')
  attendHere(context, async () => {
    throw new HarmonyError(
      'secret-missing',
      'secrets are known to projects only, and this command reads none',
    )
  })
  const [word = 'localhost'] = args.positionals
  const host = await hostOf(word)
  try {
    const inventory = await takeInventory(host, { signal: interrupts.reading })
    io.out.write(args.options.json ? `${jsonText(inventory, 2)}\n` : inventoryText(inventory, new Date()))
    return { status: 0 }
  } finally {
    await host.close()
  }
}
