/**
 * The text of unit files: as it is, or described by sections and keys. A description is data, so a value cannot smuggle
 * in a line of its own; what a value means is the service manager's language (`%i`, quotes), and is left to it.
 */
import { type Claim, claim } from '@harmony-iac/core'
import * as z from 'zod'
import { word } from './argv.ts'
import { once } from './once.ts'

/** A value of a key; a list writes the key several times. */
export type UnitValue = string | number | boolean | readonly (string | number)[]

/** The section `[Unit]`, and any key of it. */
export interface UnitSection {
  readonly Description?: UnitValue
  readonly Documentation?: UnitValue
  readonly After?: UnitValue
  readonly Before?: UnitValue
  readonly Wants?: UnitValue
  readonly Requires?: UnitValue
  readonly ConditionPathExists?: UnitValue
  readonly StartLimitIntervalSec?: UnitValue
  readonly StartLimitBurst?: UnitValue
  readonly [key: string]: UnitValue | undefined
}

/** The section `[Service]`, and any key of it. */
export interface ServiceSection {
  readonly Type?: 'simple' | 'exec' | 'forking' | 'oneshot' | 'dbus' | 'notify' | 'notify-reload' | 'idle'
  readonly ExecStartPre?: UnitValue
  readonly ExecStart?: UnitValue
  readonly ExecReload?: UnitValue
  readonly ExecStop?: UnitValue
  readonly Restart?:
    | 'no'
    | 'always'
    | 'on-success'
    | 'on-failure'
    | 'on-abnormal'
    | 'on-abort'
    | 'on-watchdog'
  readonly RestartSec?: UnitValue
  readonly RemainAfterExit?: boolean
  readonly User?: UnitValue
  readonly Group?: UnitValue
  readonly WorkingDirectory?: UnitValue
  readonly Environment?: UnitValue
  readonly EnvironmentFile?: UnitValue
  readonly TimeoutStartSec?: UnitValue
  readonly [key: string]: UnitValue | undefined
}

/** The section `[Install]`, and any key of it. */
export interface InstallSection {
  readonly WantedBy?: UnitValue
  readonly RequiredBy?: UnitValue
  readonly Alias?: UnitValue
  readonly Also?: UnitValue
  readonly [key: string]: UnitValue | undefined
}

/** A unit file of a service by its sections: `{ Service: { ExecStart: '/usr/bin/app' }, Install: { WantedBy: 'multi-user.target' } }`. */
export interface ServiceDescription {
  readonly Unit?: UnitSection | undefined
  readonly Service: ServiceSection
  readonly Install?: InstallSection | undefined
}

type Keys = Readonly<Record<string, UnitValue | undefined>>
type Sections = Readonly<Record<string, Keys | undefined>>

const key = () => z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'is no key of a unit file')

// A line break would begin another key, a backslash at the end would swallow the next one, and spaces around are lost.
const text = () =>
  word
    .regex(/^[^\r\n]*$/, 'contains a line break; give a list to write the key several times')
    .regex(/^(?!\s)(?:.*[^\s\\])?$/u, 'begins or ends with a space, or ends with a backslash')

const value = () =>
  z.union([
    text(),
    z.number(),
    z.boolean(),
    z.array(z.union([text(), z.number()])).readonly(),
  ]) satisfies z.ZodType<UnitValue>

/** A section of a described unit file. */
export const section: () => z.ZodType<Keys, Keys> = once(
  () => z.record(key(), value().optional()).readonly() as never,
)

/** The text of a unit file or drop-in. */
export const unitFile: () => z.ZodString = once(() => word.min(1, 'is empty'))

/** The text that a description stands for. */
export function unitText(sections: Sections): string {
  return Object.entries(sections)
    .filter(([, keys]) => keys !== undefined)
    .map(
      ([name, keys]) =>
        `[${name}]\n${Object.entries(keys ?? {})
          .flatMap(linesOf)
          .join('')}`,
    )
    .join('\n')
}

function linesOf([key, value]: readonly [string, UnitValue | undefined]): readonly string[] {
  if (value === undefined) return []
  const values = Array.isArray(value) ? (value as readonly (string | number)[]) : [value]
  return values.map((each) => `${key}=${each === true ? 'yes' : each === false ? 'no' : String(each)}\n`)
}

/** Whether a text has a section of this name. */
export function hasSection(text: string, name: string): boolean {
  return text.split('\n').some((line) => line.trim() === `[${name}]`)
}

const named =
  /^(?:Exec[A-Za-z]+|EnvironmentFile|WorkingDirectory|RootDirectory|(User|Group))\s*=\s*[-@:+!|]*(\S+)/gm

/** What the texts of a service name that other Scores may make: its programs, its folders, its user. */
export function standsOnNamed(texts: readonly string[]): readonly Claim[] {
  const found: Claim[] = []
  for (const [, role, value = ''] of texts.flatMap((text) => [...text.matchAll(named)])) {
    // What it stands for is known to the service manager only.
    if (value.includes('%')) continue
    if (role !== undefined) found.push(claim.name(role.toLowerCase(), value))
    else if (/^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/.test(value)) found.push(claim.path(value))
  }
  return found
}

// What systemd takes: 255 bytes with the type, and these characters.
const names = /^[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\-]*)?$/

/** The name of a unit, with its type or without; a service may be an instance (`getty@tty1`), never a template alone. */
export function unitName(type: 'service' | 'timer'): z.ZodString {
  const others = /\.(?:service|socket|timer|target|mount|automount|path|slice|scope|swap|device)$/
  return z
    .string()
    .regex(names, `must be the name of a ${type}, such as ${type === 'service' ? 'nginx' : 'backup'}`)
    .max(240, 'is too long for the name of a unit')
    .refine((name) => !/^[.-]/.test(name), 'begins with a dot or a dash')
    .refine(
      (name) => !others.test(name) || name.endsWith(`.${type}`),
      `is a unit of another type than ${type}`,
    )
    .refine((name) => fullName(name, type) !== `.${type}`, 'has nothing before its type')
    .refine(
      (name) => !fullName(name, type).includes('@.'),
      'is a template; name an instance of it, such as getty@tty1',
    )
}

/** With its type: `nginx.service`. */
export function fullName(name: string, type: 'service' | 'timer'): string {
  return name.endsWith(`.${type}`) ? name : `${name}.${type}`
}
