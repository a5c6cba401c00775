/** The capability `shell` of a Linux host. */

import { toHarmonyError } from '@harmony-iac/core'
import type { JobOptions, JobResult, Shell } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { atMost } from './at-most.ts'

/** Programs of a Linux host. */
export function linuxShell(host: Host): Shell {
  // A thousand checks are asked for together; a thousand processes side by side would be a burden to any host.
  const running = atMost(64)
  async function run(argv: readonly [string, ...string[]], options: JobOptions = {}): Promise<JobResult> {
    const { onOutput, ...rest } = options
    // A chunk may end in the middle of a character: each stream keeps the rest for the next.
    const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
    const tell = (stream: 'stdout' | 'stderr', chunk?: Uint8Array) => {
      const text = decoders[stream].decode(chunk, { stream: chunk !== undefined })
      if (text !== '') onOutput?.(stream, text)
    }
    const result = await running(() => host.exec(argv, onOutput ? { ...rest, onOutput: tell } : rest))
    if (onOutput) for (const stream of ['stdout', 'stderr'] as const) tell(stream)
    return {
      exitCode: result.exitCode,
      signal: result.signal,
      timedOut: result.timedOut,
      stdout: decodeTail(result.stdout, result.stdoutCut > 0),
      stderr: decodeTail(result.stderr, result.stderrCut > 0),
      truncated: result.stdoutCut > 0 || result.stderrCut > 0,
      durationMs: result.durationMs,
    }
  }
  return {
    run,
    // The name after the text is the script's `$0`: it is what sh puts before its complaints.
    script: (text, options) => run(['/bin/sh', '-e', '-c', text, 'harmony'], options),
    async exists(path) {
      try {
        return (await host.files.lstat(path)) !== undefined
      } catch (error) {
        throw toHarmonyError(error)
      }
    },
  }
}

/** A tail may begin in the middle of a character: those bytes are left out rather than shown as a replacement. */
function decodeTail(bytes: Uint8Array, cut: boolean): string {
  let start = 0
  if (cut) while (start < 3 && start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  return new TextDecoder().decode(bytes.subarray(start))
}
