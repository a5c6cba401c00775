/** Why a package cannot be had, and what could be instead: asked only once that is so. */
import { HarmonyError } from '@harmony-iac/core'
import { type Apt, textOf } from './apt.ts'
import type { Job } from './jobs.ts'
import { essence } from './trouble.ts'

const mostNamed = 10

/** The error of a package that apt cannot find. `lists`: what reading the lists has said just before. */
export async function unavailable(apt: Apt, { name, ...job }: Job, lists: string): Promise<HarmonyError> {
  const troubled = essence(lists).filter((line) => /^(?:W|E|Err)\b/.test(line))
  const about = troubled.length > 0 ? ['the lists of the archives could not be read again:', ...troubled] : []
  const error = (message: string, hint: string, data: Readonly<Record<string, unknown>>) =>
    new HarmonyError('refused', [message, ...about].join('\n'), { hint, data: { package: name, ...data } })

  const version = job.type === 'install' ? job.version : undefined
  const known = version === undefined ? [] : await versionsOf(apt, name)
  if (known.length > 0)
    return error(
      `${name} is not to be had in version ${version}; there is ${known.slice(0, mostNamed).join(', ')}`,
      'name one of those, or give the host an archive that has the other',
      { versions: known },
    )
  const providers = await providersOf(apt, name)
  if (providers.length > 0)
    return error(
      `${name} is not a package itself: ${providers.slice(0, mostNamed).join(', ')} ${providers.length > 1 ? 'provide' : 'provides'} it`,
      providers.length > 1 ? 'name one of those instead' : `name ${providers[0]} instead`,
      { providers },
    )
  return error(
    `no archive of the host has a package ${name}`,
    'see how it is spelt, or give the host the archive that has it: a File in /etc/apt/sources.list.d',
    {},
  )
}

async function versionsOf(apt: Apt, name: string): Promise<readonly string[]> {
  const { stdout } = await apt.run(['apt-cache', 'madison', name])
  const versions = textOf(stdout)
    .split('\n')
    .map((line) => line.split('|')[1]?.trim() ?? '')
  return [...new Set(versions.filter(Boolean))]
}

async function providersOf(apt: Apt, name: string): Promise<readonly string[]> {
  const { stdout } = await apt.run(['apt-cache', 'showpkg', name])
  const [, listed = ''] = textOf(stdout).split(/^Reverse Provides: *$/m, 2)
  const names = listed.split('\n').map((line) => line.split(' ', 1)[0] ?? '')
  return [...new Set(names.filter(Boolean))].sort()
}
