/**
 * Who made a container or a folder, so that another process can tell whether it is still wanted: the namespace of process
 * ids (in another one they mean nothing), the id, and when that process started, because ids come again.
 */
import { readFileSync, readlinkSync } from 'node:fs'

const namespace = namespaceOfThis()

/** This process, for a label or the name of a folder: letters, digits and dots. */
export const thisRun: string = runOf(process.pid)

/** Whether the process that gave itself this name has ended; false where that cannot be known. */
export function isOver(run: string): boolean {
  const [where, pid] = run.split('.')
  return where === namespace && runOf(Number(pid)) !== run
}

function runOf(pid: number): string {
  return `${namespace}.${pid}.${startOf(pid)}`
}

function namespaceOfThis(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')
  } catch {
    // Not Linux: nothing is ever known to be over.
    return 'none'
  }
}

function startOf(pid: number): string {
  try {
    // The name of the program, in parentheses, may contain anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return fields[19] ?? ''
  } catch {
    return 'ended'
  }
}
