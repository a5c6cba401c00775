/**
 * Runs a program or a script: the labelled escape hatch, for what no other kind of Score can say yet. It needs a
 * topology that was constructed with a shell, and every run leaves an audit entry.
 */
import {
  claim,
  type Difference,
  defineScore,
  HarmonyError,
  isHarmonyError,
  missing,
  type Needs,
  type Ref,
  type Run,
  ref,
  type ScoreFactory,
  type Secret,
  type Sensitive,
  secretable,
} from '@harmony-iac/core'
import { type JobOptions, type Shell, ShellAccess } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { argv, word } from './argv.ts'
import { wellFormedText } from './content.ts'
import { execute, start, tooLong } from './job-programs.ts'
import { absolutePath, anyPath } from './paths.ts'

/** What every {@link ShellJob} may say. */
export interface ShellJobOptions {
  /** What it is called; its identity. */
  readonly name: string
  /** A path that the job makes: while something exists there, there is nothing to do. */
  readonly creates?: string | undefined
  /**
   * A program as a list of words, or a script as one string: while it exits with 0, there is nothing to do. It runs
   * for every plan, so it must only read.
   */
  readonly unless?: readonly string[] | string | undefined
  /** The folder it runs in. Default `/`. */
  readonly cwd?: string | undefined
  /** Its environment, beside the usual PATH, HOME, USER and LANG. The place for secrets: arguments are public. */
  readonly env?: Readonly<Record<string, string | Secret | Ref<string>>> | undefined
  /** What it reads from standard input. Default: nothing. */
  readonly stdin?: string | Secret | Ref<string> | undefined
  /** In seconds; then its whole process group is ended. Default 300. */
  readonly timeout?: number | undefined
  /**
   * A program as a list of words, or a script, that takes back what the job did, when the Score leaves the project. It
   * may run twice, and must bear that there is nothing to take back. It gets `cwd`, and of `env` what is no secret and
   * no reference. Default: nothing is taken back.
   */
  readonly undo?: readonly string[] | string | undefined
}

/** What a {@link ShellJob} is made from: exactly one of `argv` and `script`. */
export type ShellJobSpec = ShellJobOptions &
  (
    | {
        /** The program and its arguments; no shell is involved. */
        readonly argv: readonly string[]
        readonly script?: never
      }
    | {
        /** A script for `/bin/sh -e`. */
        readonly script: string
        readonly argv?: never
      }
  )

/** Details of a {@link ShellJob}. */
export interface ShellJobStatus {
  /** Whether there is nothing to do. */
  readonly done: boolean
  /** How often Harmony has run it on this host. */
  readonly runs: number
}

const script = word.min(1, 'is empty')
const program = z.union([argv, script])
const late = secretable(ref(wellFormedText))

const fields = {
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._:@/+-]{0,127}$/, {
    error: 'must be 1 to 128 letters, digits, spaces and . _ : @ / + -, and start with a letter or digit',
  }),
  argv: argv.optional(),
  script: script.optional(),
  creates: absolutePath.optional(),
  unless: program.optional(),
  cwd: anyPath.optional(),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is no name of an environment variable'), late)
    .readonly()
    .optional(),
  stdin: late.optional(),
  timeout: z.number().positive().max(86_400, 'must be at most a day').default(300),
  undo: program.optional(),
} satisfies { readonly [K in keyof Required<ShellJobSpec>]: z.ZodType }

interface JobState {
  /** Why it has to run; `undefined` when there is nothing to do. */
  readonly due: 'never ran' | 'other spec' | 'creates' | 'unless' | undefined
  /** What `unless` exited with. */
  readonly unless: number | null
  readonly memory: Memory | undefined
}

interface Memory {
  readonly digest: string
  readonly runs: number
}

const memorySchema = z.strictObject({ digest: z.string(), runs: z.number() })

/**
 * A job: `ShellJob({ name: 'schema', argv: ['/srv/app/migrate'], cwd: '/srv/app', rerunOn: [release] })`.
 *
 * With `creates` or `unless` it runs whenever the guard says so, and has failed if the guard says so still; without a
 * guard once for each spec (a secret's value does not count). `rerunOn` runs it again after those Scores have changed.
 * Killed on the way it runs again, so it must bear that.
 *
 * Fails with `command-failed`, `timeout`, `interrupted`.
 */
export const ShellJob: ScoreFactory<
  'ShellJob',
  ShellJobSpec,
  Needs<[typeof ShellAccess]>,
  ShellJobStatus,
  unknown,
  'rerunOn'
> = defineScore({
  kind: 'ShellJob',
  version: 1,
  spec: z
    .strictObject(fields)
    .superRefine(({ argv, script }, context) => {
      if (argv && script !== undefined) context.addIssue('give argv or script, not both')
      if (!argv && script === undefined) context.addIssue('give argv or script: what is to run')
    })
    .meta({ oneOf: [{ required: ['argv'] }, { required: ['script'] }] }),
  needs: [ShellAccess],
  identity: (spec) => spec.name,
  // What it creates is its own: a purge of the folder must not take it for nobody's.
  claims: ({ name, creates }) => [claim.name('shell-job', name), ...(creates ? [claim.path(creates)] : [])],
  uses: ({ cwd, creates }) => [
    ...(cwd ? [claim.path(cwd)] : []),
    ...(creates ? [claim.path(claim.folderOf(creates))] : []),
  ],
  // A job that ran and failed may have done half of its work.
  unseen: ({ undo }, memory) => undo !== undefined && memory !== undefined,
  interpret: {
    async observe(spec, { shell }, look): Promise<JobState> {
      const memory = memorySchema.safeParse(look.memory).data
      const state = { unless: null, memory }
      if (spec.creates === undefined && spec.unless === undefined) {
        const due = !memory ? 'never ran' : memory.digest === look.digest ? undefined : 'other spec'
        return { ...state, due }
      }
      if (spec.creates !== undefined && (await shell.exists(spec.creates)))
        return { ...state, due: undefined }
      if (spec.unless === undefined) return { ...state, due: 'creates' }
      const { exitCode, timedOut } = await start(shell, spec.unless, {
        ...optionsOf(spec),
        signal: look.signal,
      })
      if (timedOut) throw tooLong('the guard unless', spec.timeout)
      return { ...state, unless: exitCode, due: exitCode === 0 ? undefined : 'unless' }
    },

    compare(spec, { due, unless, memory }) {
      if (due === undefined) return []
      const found: Difference[] = [
        due === 'other spec' ? { path: '', from: 'ran with another spec', to: 'job' } : missing('job'),
        spec.argv
          ? { path: 'argv', from: null, to: spec.argv }
          : { path: 'script', from: null, to: spec.script ?? null },
      ]
      if (due === 'creates') found.push({ path: 'creates', from: null, to: spec.creates ?? null })
      if (due === 'unless') found.push({ path: 'unless', from: unless, to: 0 })
      return memory && due !== 'other spec' ? found.slice(1) : found
    },

    async converge(spec, { shell }, run) {
      await runJob(spec, shell, run)
      if (spec.creates === undefined || (await shell.exists(spec.creates))) return
      throw new HarmonyError('not-converged', `the job ended well, but ${spec.creates} is not there`, {
        hint: 'correct creates, or what the job makes',
      })
    },

    async remove({ spec }, { shell }, run) {
      if (spec.undo === undefined) return
      const env = Object.entries(spec.env ?? {}).flatMap(([key, value]) =>
        typeof value === 'string' ? [[key, value] as const] : [],
      )
      const { cwd, timeout } = spec
      const options = { cwd, env: Object.fromEntries(env), timeoutMs: timeout * 1000 }
      await execute(shell, spec.undo, options, run)
    },

    incarnation: ({ memory }) => (memory ? String(memory.runs) : undefined),

    status: ({ due, memory }): ShellJobStatus => ({ done: due === undefined, runs: memory?.runs ?? 0 }),
  },
  reactions: {
    rerunOn: async (spec, { shell }, run) => await runJob(spec, shell, run),
  },
})

interface Job {
  readonly argv?: readonly string[] | undefined
  readonly script?: string | undefined
  readonly cwd?: string | undefined
  readonly env?: Readonly<Record<string, Sensitive<string>>> | undefined
  readonly stdin?: Sensitive<string> | undefined
  readonly timeout: number
}

async function runJob(job: Job, shell: Shell, run: Run<JobState>): Promise<void> {
  const runs = (run.state.memory?.runs ?? 0) + 1
  try {
    await execute(shell, job.argv ?? job.script ?? '', optionsOf(job), run)
  } catch (error) {
    if (hasRun(error)) run.remember({ digest: '', runs })
    throw error
  }
  run.remember({ digest: run.digest, runs })
}

/** Whether a program was running before this: not where none could be started. */
function hasRun(error: unknown): boolean {
  if (!isHarmonyError(error)) return false
  const { code, data } = error
  return code === 'command-failed' ? data.exitCode !== undefined : ['timeout', 'interrupted'].includes(code)
}

function optionsOf({ cwd, env, stdin, timeout }: Job): JobOptions {
  const plain = env && Object.fromEntries(Object.entries(env).map(([key, value]) => [key, value.reveal()]))
  return { cwd, env: plain, stdin: stdin?.reveal(), timeoutMs: timeout * 1000 }
}
