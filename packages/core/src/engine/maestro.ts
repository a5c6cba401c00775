import type { Maestro, MaestroOptions } from './contract.ts'
export async function openMaestro(_options: MaestroOptions): Promise<Maestro> { throw new Error('soon') }
