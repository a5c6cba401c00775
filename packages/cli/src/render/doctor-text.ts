/** What a host lacks, in words: what it is, and what to do about it. */
import type { Concern, Diagnosis, Finding, Problem } from '@harmony-iac/topologies'
import type { Colours } from './colours.ts'
import { sanitizeLine } from './sanitize.ts'
import { sizeText } from './size-text.ts'

/** A problem in words. */
export interface ProblemText {
  readonly message: string
  readonly hint: string
}

/** One host, as it is shown. */
export interface Examined {
  /** How it was named and understood: `kiosk, a topology of the project site`. */
  readonly title: string
  readonly diagnosis: Diagnosis
  /** What Scores of the project need; `undefined` without a project. */
  readonly needed: ReadonlySet<Concern> | undefined
}

const marks = { ok: '✓', limited: '!', missing: '✗' } as const
const paints = { ok: 'green', limited: 'yellow', missing: 'red' } as const

/** A table of a host: what for, whether, and below that why not and what to do. */
export function doctorText({ title, diagnosis, needed }: Examined, colours: Colours): string {
  const { user, uid, findings } = diagnosis
  const lines = [
    `${colours.bold(sanitizeLine(title))}, as ${sanitizeLine(user)}${uid === 0 ? '' : ` (uid ${uid})`}`,
  ]
  const said = new Map<string, Concern>()
  for (const { concern, status, problems } of findings) {
    const paint = colours[paints[status]]
    const note = needed?.has(concern) ? '  needed' : ''
    lines.push(
      `  ${paint(marks[status])} ${concern.padEnd(12)}${paint(status.padEnd(7))}${colours.bold(note)}`.trimEnd(),
    )
    for (const problem of problems) {
      const { message, hint } = problemText(problem)
      const first = said.get(message)
      // What holds for many is explained once.
      if (first === undefined) {
        said.set(message, concern)
        lines.push(`      ${sanitizeLine(message)}`, `      ${colours.cyan('→')} ${sanitizeLine(hint)}`)
      } else lines.push(`      ${sanitizeLine(message)} ${colours.dim(`(see ${first})`)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** The last line: what it means. */
export function verdictText(all: readonly Examined[], unreachable: number): string {
  const lacks = all.flatMap(({ diagnosis, needed }) => lacking(diagnosis.findings, needed))
  const hosts = unreachable === 1 ? '1 host cannot be reached' : `${unreachable} hosts cannot be reached`
  const words = [
    unreachable > 0 && hosts,
    lacks.length > 0 && `missing: ${[...new Set(lacks.map(({ concern }) => concern))].join(', ')}`,
  ].filter(Boolean)
  if (words.length > 0) return `${words.join('; ')}.`
  return all.every(({ needed }) => needed) ? 'All that the project needs is there.' : 'Nothing is missing.'
}

/** What fails there, of what is needed; without a project of everything but the agent, which nobody has asked for. */
export function lacking(
  findings: readonly Finding[],
  needed: ReadonlySet<Concern> | undefined,
): readonly Finding[] {
  return findings.filter(
    ({ concern, status }) => status === 'missing' && (needed ? needed.has(concern) : concern !== 'agent'),
  )
}

/** A problem and its remedy, in a sentence each. */
export function problemText(problem: Problem): ProblemText {
  switch (problem.code) {
    case 'no-files':
      return {
        message: problem.said,
        hint: problem.advice ?? 'see that files can be read there by whoever logs in',
      }
    case 'not-root':
      return {
        message: `${problem.user} is not root, who alone may change this`,
        hint: {
          passwordless: 'log in as root, or work through sudo, which asks for no password here',
          password: `log in as root, or let ${problem.user} use sudo without a password: it asks for one here`,
          absent: 'log in as root, or install sudo',
        }[problem.sudo],
      }
    case 'no-flock':
      return {
        message: 'flock(1), which holds the lock of the ledger, is not there',
        hint: 'apt-get install util-linux',
      }
    case 'unwritable':
      return {
        message: `${problem.user} may not write to ${problem.path}, where the ledger would be`,
        hint: 'give that folder to them, or set HARMONY_STATE_DIR there to another one',
      }
    case 'read-only':
      return {
        message: `${problem.paths.join(', ')} ${problem.paths.length === 1 ? 'is' : 'are'} mounted read-only`,
        hint: 'look for errors of the disk (dmesg); if that is how it is meant, remount it read-write for the change: mount -o remount,rw',
      }
    case 'disk-full':
      return problem.of === 'bytes'
        ? {
            message: `${problem.mountPoint} has ${sizeText(problem.available)} left of ${sizeText(problem.size)}`,
            hint: 'make room: apt-get clean, journalctl --vacuum-size=50M, docker system prune',
          }
        : {
            message: `${problem.mountPoint} can hold ${problem.available} more files, of ${problem.size}`,
            hint: 'remove small files nobody needs; find out where they are: du --inodes -x /',
          }
    case 'no-systemd':
      return {
        message: `systemd does not run this machine${problem.init === undefined ? '' : ` (its first process is ${problem.init})`}`,
        hint: 'use a system that systemd starts, such as Debian or Raspberry Pi OS; a container needs an image with systemd for it',
      }
    case 'no-bus':
      return {
        message:
          problem.said === undefined
            ? 'there is no system bus'
            : `the system bus is not reached: ${problem.said}`,
        hint:
          problem.said === undefined
            ? 'apt-get install dbus'
            : 'start it (systemctl start dbus); over SSH sshd_config must say AllowStreamLocalForwarding yes',
      }
    case 'no-programs':
      return {
        message: `${problem.programs.join(', ')} ${problem.programs.length === 1 ? 'is' : 'are'} not there`,
        hint: `apt-get install ${problem.package}`,
      }
    case 'no-engine':
      return {
        message: 'there is no Docker Engine (nothing at /var/run/docker.sock)',
        hint: 'apt-get install docker.io, or follow docs.docker.com/engine/install',
      }
    case 'engine-denied':
      return {
        message: `${problem.user} may not use the Docker Engine's socket`,
        hint: `usermod --append --groups ${problem.group ?? 'docker'} ${problem.user}, then log in again: who is in that group can do what root can`,
      }
    case 'engine-silent':
      return {
        message: `the Docker Engine does not answer${problem.said === undefined ? '' : `: ${problem.said}`}`,
        hint: 'start it (systemctl start docker); over SSH sshd_config must say AllowStreamLocalForwarding yes',
      }
    case 'engine-old':
      return {
        message: `the Docker Engine speaks version ${problem.apiVersion} of its API; ${problem.least} is the least`,
        hint: 'install Docker 20.10 or later',
      }
    case 'no-apt':
      return { message: 'apt is not there', hint: 'use Debian or a system that is made from it' }
    case 'clock':
      return {
        message: `its clock is ${spanText(Math.abs(problem.offsetSeconds))} ${problem.offsetSeconds > 0 ? 'ahead of' : 'behind'} this machine's`,
        hint: 'have it set from the network: timedatectl set-ntp true; certificates and package lists have dates',
      }
    case 'architecture':
      return {
        message: `the agent does not run on ${problem.architecture}${problem.bits === 32 ? ' with a 32-bit system' : ''}`,
        hint: 'install a 64-bit system (arm64 or amd64); without an agent the machine is worked on over SSH as it is',
      }
  }
}

function spanText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}
