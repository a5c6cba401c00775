/** What the specs of a bundle leave to be filled in where they are used: secrets by name, contents by path. */
import { isSecret, type Secret } from '@harmony-iac/core'

/** A secret that has a name, with the first Score that says where it comes from. */
export interface NamedSecret {
  readonly secret: Secret & { readonly $secret: string }
  readonly id: string
}

/** What is named in these specs: secrets as often as they differ, each path once. */
export function lateValuesOf(scores: readonly { readonly id: string; readonly spec: unknown }[]): {
  readonly secrets: readonly NamedSecret[]
  readonly assets: ReadonlySet<string>
} {
  const secrets = new Map<string, NamedSecret>()
  const assets = new Set<string>()
  const visit = (value: unknown, id: string): void => {
    if (typeof value !== 'object' || value === null) return
    if (isSecret(value) && typeof value.$secret === 'string') {
      const { $secret, env, file } = value
      const key = JSON.stringify([$secret, env, file])
      if (!secrets.has(key)) secrets.set(key, { secret: { ...value, $secret }, id })
    } else if ('$asset' in value && typeof value.$asset === 'string') assets.add(value.$asset)
    else for (const key in value) visit((value as Record<string, unknown>)[key], id)
  }
  for (const { id, spec } of scores) visit(spec, id)
  return { secrets: [...secrets.values()], assets }
}
