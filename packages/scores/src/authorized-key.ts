/** Keeps a public key that a user may log in with. */
import {
  claim,
  type Difference,
  defineScore,
  flawOfKey,
  HarmonyError,
  keyFingerprint,
  keyLineText,
  missing,
  type Needs,
  parseKeyLine,
  type ScoreFactory,
} from '@harmony-iac/core'
import { type KeyLine, Users } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { accountName, usualHome } from './accounts.ts'
import { once } from './once.ts'

/** What an {@link AuthorizedKey} is made from. */
export interface AuthorizedKeySpec {
  /** Who may log in with it. */
  readonly user: string
  /** A public key as `ssh-keygen` writes it: type, key and, if you like, a comment. */
  readonly key: string
  /**
   * What is allowed with it, one option each, as sshd(8) has them: `['restrict', 'command="/usr/bin/backup"']`. An empty
   * list is no restriction. Default: what is there stays; a new key has none.
   */
  readonly options?: readonly string[] | undefined
}

/** Details of an {@link AuthorizedKey} as it is. */
export interface AuthorizedKeyStatus {
  readonly exists: boolean
  /** The file that it stands in. */
  readonly path?: string | undefined
  readonly options?: readonly string[] | undefined
  readonly comment?: string | undefined
}

/** What other Scores may take from an {@link AuthorizedKey}. */
export interface AuthorizedKeyOutputs {
  /** The file that it stands in. */
  readonly path: string
  /** As `ssh-keygen -l` prints it: `SHA256:…`. */
  readonly fingerprint: string
}

// sshd ignores a key with an option that it does not know, so a misspelt one would lock its owner out.
const plainOptions =
  'agent-forwarding cert-authority no-agent-forwarding no-port-forwarding no-pty no-touch-required no-user-rc no-x11-forwarding port-forwarding pty restrict user-rc verify-required x11-forwarding'.split(
    ' ',
  )
const optionsWithValue =
  'command environment expiry-time from permitlisten permitopen principals tunnel'.split(' ')

const longestLine = 8192

const option = once(() =>
  z.string().superRefine((text, context) => {
    const flaw = flawOfOption(text)
    if (flaw !== undefined) context.addIssue(flaw)
  }),
)

const key = once(() =>
  z.string().superRefine((text, context) => {
    const flaw = flawOfText(text)
    if (flaw !== undefined) context.addIssue(flaw)
  }),
)

const fields = () =>
  ({
    user: accountName(),
    key: key(),
    options: z.array(option()).readonly().optional(),
  }) satisfies { readonly [K in keyof Required<AuthorizedKeySpec>]: z.ZodType }

interface KeyState {
  readonly path: string | undefined
  /** The lines that have this key. */
  readonly lines: readonly KeyLine[]
  readonly fingerprint: string
}

const previousSchema = once(() => z.array(z.string()).min(1))

/**
 * A public key that a user may log in with: `AuthorizedKey({ user: 'ada', key: 'ssh-ed25519 AAAA… ada@laptop' })`.
 *
 * It owns the lines of this key in `.ssh/authorized_keys` and leaves everybody else's as they are. The file is made for
 * its user only, never through a link that leads out of the home. On removal the key goes, and nobody gets in with it
 * any more; one that was there with other options or another comment gets them back.
 *
 * Fails with `no-such-user`, `refused`, `system`.
 */
export const AuthorizedKey: ScoreFactory<
  'AuthorizedKey',
  AuthorizedKeySpec,
  Needs<[typeof Users]>,
  AuthorizedKeyStatus,
  AuthorizedKeyOutputs
> = defineScore({
  kind: 'AuthorizedKey',
  version: 1,
  spec: () => z.strictObject(fields()),
  needs: [Users],
  // The comment does not count: with another one it is the same key.
  identity: (spec) => `${spec.user} ${fingerprintOf(spec)}`,
  // The home is known on the host only. Where it is usually, a File at that path is found to be in the way.
  claims: (spec) => [
    claim.name('authorized-key', `${spec.user} ${fingerprintOf(spec)}`),
    claim.part(`${usualHome(spec.user)}/.ssh/authorized_keys`, `${spec.user} ${fingerprintOf(spec)}`),
  ],
  uses: ({ user }) => [claim.name('user', user), claim.path(`${usualHome(user)}/.ssh`)],
  interpret: {
    light: true,
    async observe(spec, { users }): Promise<KeyState> {
      // Without a user there is no key yet: the plan shows what is to come, also for a user who comes with it.
      const ring = await users.keys(spec.user)
      const { blob } = partsOf(spec)
      const lines = ring?.lines.filter((line) => line.blob === blob) ?? []
      return { path: ring?.path, lines, fingerprint: fingerprintOf(spec) }
    },

    compare(spec, { lines }) {
      const found: Difference[] = []
      const { type, blob, comment } = partsOf(spec)
      const [there, ...more] = lines
      if (!there) {
        found.push(missing('key'), { path: 'key', from: null, to: spec.key.trim() })
        if (spec.options) found.push({ path: 'options', from: null, to: spec.options })
        return found
      }
      const commented = comment === '' || comment === there.comment
      if (there.type !== type || !commented || more.length > 0)
        found.push({
          path: 'key',
          from: lines.map((line) => keyLineText({ ...line, options: [] })).join('\n'),
          to: keyLineText({ type, blob, comment: comment || there.comment, options: [] }),
        })
      if (spec.options && JSON.stringify(spec.options) !== JSON.stringify(there.options))
        found.push({ path: 'options', from: there.options, to: spec.options })
      return found
    },

    async converge(spec, { users }, { state }) {
      const { type, blob, comment } = partsOf(spec)
      const [there] = state.lines
      const line = keyLineText({
        type,
        blob,
        comment: comment || (there?.comment ?? ''),
        options: spec.options ?? there?.options ?? [],
      })
      await users.setKey(spec.user, blob, [line])
    },

    async remove({ spec, previous }, { users }) {
      const { blob } = partsOf(spec)
      if (previous === undefined) return await users.setKey(spec.user, blob, [])
      const was = previousSchema().safeParse(previous)
      if (!was.success)
        throw new HarmonyError('ledger-corrupt', 'the ledger does not say what line was there before', {
          hint: 'put it right by hand, and remove the Score with retain: true',
          cause: was.error,
        })
      // Without its user there is nobody to let in.
      if (await users.user(spec.user)) await users.setKey(spec.user, blob, was.data)
    },

    recover: ({ user }, { users }) => users.cleanUpKeys(user),

    keep: async (_, __, { lines }) => lines.map(({ text }) => text),

    outputs: ({ path = '', fingerprint }): AuthorizedKeyOutputs => ({ path, fingerprint }),

    status: ({ path, lines: [line] }): AuthorizedKeyStatus =>
      line ? { exists: true, path, options: line.options, comment: line.comment } : { exists: false, path },
  },
})

function partsOf({ key }: Pick<AuthorizedKeySpec, 'key'>): { type: string; blob: string; comment: string } {
  const [, type = '', blob = '', comment = ''] = /^(\S+) (\S+)(?: (.*))?$/s.exec(key) ?? []
  return { type, blob, comment }
}

function fingerprintOf(spec: Pick<AuthorizedKeySpec, 'key'>): string {
  return keyFingerprint(partsOf(spec).blob)
}

function flawOfText(text: string): string | undefined {
  if (/PRIVATE KEY/.test(text)) return 'is a private key: write the public one (the file that ends in .pub)'
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text))
    return 'must be one line, without control characters'
  if (text.length > longestLine) return `is longer than ${longestLine} characters`
  const line = parseKeyLine(text)
  if (!line) return 'is no public key; write it as ssh-keygen does: ssh-ed25519 AAAA… comment'
  if (line.options.length > 0) return 'begins with options; write them into options'
  if (keyLineText(line) !== text)
    return 'has spaces to spare; write type, key and comment with one between them'
  return flawOfKey(line)
}

function flawOfOption(text: string): string | undefined {
  const [, name = '', value] = /^([A-Za-z0-9-]+)(?:=(.*))?$/s.exec(text) ?? []
  const known = name.toLowerCase()
  if (plainOptions.includes(known)) return value === undefined ? undefined : `${name} takes no value`
  if (!optionsWithValue.includes(known))
    return `is no option of sshd: ${[...plainOptions, ...optionsWithValue].sort().join(', ')}`
  if (value === undefined || !/^"(?:\\"|[^"])*"$/.test(value) || /\\"$/.test(value))
    return `must be written ${name}="…", with \\" for a quote inside`
  if (/[\p{Cc}\p{Cs}]/u.test(value)) return 'must not contain control characters'
  return text.length > longestLine ? `is longer than ${longestLine} characters` : undefined
}
