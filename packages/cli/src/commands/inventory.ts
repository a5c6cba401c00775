/** `harmony inventory`: the facts of a host, as a list or as a document. */
import type { Run } from '../context.ts'
import { machineOf } from '../machine.ts'
import { inventoryText } from '../render/inventory-text.ts'
import { jsonText } from '../render/sanitize.ts'

export const run: Run = async ({ args, io, interrupts }) => {
  const { takeInventory } = await import('@harmony-iac/topologies')
  const [word = 'localhost'] = args.positionals
  const { host } = await machineOf(word)
  try {
    const inventory = await takeInventory(host, { signal: interrupts.reading })
    io.out.write(args.options.json ? `${jsonText(inventory, 2)}\n` : inventoryText(inventory, new Date()))
    return { status: 0 }
  } finally {
    await host.close()
  }
}
