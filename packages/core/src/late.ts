/**
 * Values that are known late: the output of another Score, a secret, the content of a local file. In a spec each is a
 * small plain object with a `$` key, which is also its wire form; the engine resolves it just before it is used. So the
 * schema is honest about what is written, and `interpret` sees plain values.
 */
import * as z from 'zod'
import { HarmonyError } from './errors.ts'

/** An output of another Score. It implies `after`. */
export interface Ref<out T> {
  /** The address of the Score whose output this is. */
  readonly $ref: string
  readonly output: string
  /** Type only. */
  readonly '~value': T
}

/** The outputs of a Score, as references. */
export type Refs<O> = { readonly [K in keyof O]-?: Ref<O[K]> }

/** A secret by reference, or text with secrets inside. Resolved where it is used; never stored, never shown. */
export interface Secret {
  /** The secret's name, or the pieces of a text of which some are secrets. */
  readonly $secret: string | readonly (string | Secret)[]
  /** Read from this environment variable. */
  readonly env?: string | undefined
  /** Read from this file, absolute or relative to the project file; one trailing line break is dropped. */
  readonly file?: string | undefined
}

/** The content of a file on the machine where the project is run; of any size, never held in memory. */
export interface Asset {
  /** Absolute, or relative to the project file. */
  readonly $asset: string
}

/** Bytes inline, as base64. */
export interface Bytes {
  readonly $bytes: string
}

/** What an {@link Asset} is at run time. */
export interface Content {
  /** Lower-case hex. */
  readonly sha256: string
  /** In bytes. */
  readonly size: number
  /** Reads it from the start, in chunks of at most 256 KiB. Fails if it is no longer what was hashed. */
  open(): AsyncIterable<Uint8Array>
}

/** A value that came from a secret, or may have; masked wherever it is printed. */
export interface Sensitive<out T> {
  readonly '~sensitive': true
  /** The value itself. Call it where the value is used, and pass the result on to nothing that prints. */
  reveal(): T
  /** Whether it came from a secret: the same field may hold a plain value in another project. */
  readonly secret: boolean
  toString(): string
  toJSON(): string
}

/** What `interpret` sees of a spec: every late value resolved. */
export type Resolved<T> = unknown extends T
  ? T
  : z.core.util.JSONType extends T
    ? T
    : [Extract<T, Secret>] extends [never]
      ? T extends Ref<infer U>
        ? U
        : T extends Asset
          ? Content
          : T extends Bytes
            ? Uint8Array
            : T extends Uint8Array | Date
              ? T
              : T extends object
                ? { [K in keyof T]: Resolved<T[K]> }
                : T
      : Sensitive<Resolved<Exclude<T, Secret | null | undefined>>> | Extract<T, null | undefined>

/** What a masked value is shown as. */
export const mask = '••••••'

/** Wraps a value so that it cannot be printed by accident. */
export function sensitive<T>(value: T, secret = true): Sensitive<T> {
  return new SensitiveValue(value, secret)
}

// A class, since ten thousand files make ten thousand of them. The value sits in a closure-free private field that
// neither inspection nor serialization shows.
class SensitiveValue<T> implements Sensitive<T> {
  readonly '~sensitive' = true
  readonly secret: boolean
  readonly #value: T

  constructor(value: T, secret: boolean) {
    this.#value = value
    this.secret = secret
  }

  reveal(): T {
    return this.#value
  }

  toString(): string {
    return this.secret ? mask : String(this.#value)
  }

  toJSON(): string {
    return this.toString()
  }
}

/** A secret by name, from the environment or a file: by default `HARMONY_SECRET_<NAME>`, then `secrets/<name>` beside the project file. */
export function secret(name: string, from: { readonly env?: string; readonly file?: string } = {}): Secret {
  return unprintable({ $secret: name, ...from }, `the secret ${name}`, "secretText`…${secret('name')}…`")
}

/** Text with secrets inside: ``secretText`postgres://app:${secret('db')}@db` ``. The whole text is a secret then. */
export function secretText(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | Secret)[]
): Secret {
  const pieces: (string | Secret)[] = []
  strings.forEach((text, i) => {
    if (text) pieces.push(text)
    const value = values[i]
    if (value === undefined) return
    // Text within text is one text.
    if (typeof value === 'object' && typeof value.$secret !== 'string') pieces.push(...value.$secret)
    else pieces.push(typeof value === 'number' ? String(value) : value)
  })
  return unprintable({ $secret: pieces }, 'text with a secret', 'one secretText`…` for the whole text')
}

/** The content of a local file: `File({ path: '/srv/big.iso', content: asset('./big.iso') })`. */
export function asset(path: string): Asset {
  return unprintable({ $asset: path }, `the content of ${path}`, 'the asset as the whole content')
}

/** Bytes inline. */
export function bytes(value: Uint8Array): Bytes {
  const made = { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
  return unprintable(made, 'what bytes(…) returns', 'it as the whole content')
}

/** Text from outputs of other Scores: ``text`postgres://${db.out.address}:5432` ``. Refuses secrets: see {@link secretText}. */
export function text(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | Ref<string | number>)[]
): Ref<string> {
  const pieces: unknown[] = []
  strings.forEach((piece, i) => {
    if (piece) pieces.push(piece)
    const value = values[i]
    if (value !== undefined) pieces.push(typeof value === 'object' ? value : String(value))
  })
  const made = { $ref: '', output: '', $text: pieces }
  return unprintable(made, 'text with an output', 'one text`…` for the whole text') as never
}

/** Makes the reference to one output. */
export function makeRef<T>(address: string, output: string): Ref<T> {
  const made = { $ref: address, output }
  return unprintable(made, `the output ${output} of ${address}`, 'text`…${score.out.name}…`') as never
}

/** A bare template literal would compile and yield "[object Object]": here it says what to write instead. */
function unprintable<T extends object>(made: T, what: string, instead: string): T {
  Object.defineProperty(made, Symbol.toPrimitive, {
    value: () => {
      throw new HarmonyError(
        'invalid-value',
        `${what} is known only later, so it cannot be put into a string here`,
        {
          hint: `write ${instead}; the tags text and secretText come from @harmony-iac/core`,
        },
      )
    },
  })
  return made
}

const address = z.string().min(1)
const refSchema = z.union([
  z.strictObject({ $ref: address, output: address }),
  z.strictObject({
    $ref: z.literal(''),
    output: z.literal(''),
    $text: z.array(z.union([z.string(), z.strictObject({ $ref: address, output: address })])).readonly(),
  }),
])
const name = z.string().min(1)
const from = { env: z.string().min(1).optional(), file: z.string().min(1).optional() }
// Not recursive, so that zod need not watch out for cycles in each of thousands of specs.
const secretSchema = z.strictObject({
  $secret: z.union([
    name,
    z.array(z.union([z.string(), z.strictObject({ $secret: name, ...from })])).readonly(),
  ]),
  ...from,
})

/** One union of all of them, not one of unions: a value has fewer schemas to go through. */
function anyOf(...schemas: readonly z.ZodType[]): z.ZodType {
  return z.union(schemas.flatMap(alternatives))
}

function alternatives(schema: z.ZodType): readonly z.ZodType[] {
  if (!(schema instanceof z.ZodUnion) || schema.def.checks?.length || schema.def.error) return [schema]
  return schema.options.flatMap((option) => alternatives(option as z.ZodType))
}

/** Schema of an {@link Asset}. */
export const assetSchema: z.ZodType<Asset, Asset> = z.strictObject({ $asset: z.string().min(1) }) as never
/** Schema of {@link Bytes}. */
export const bytesSchema: z.ZodType<Bytes, Bytes> = z.strictObject({ $bytes: z.base64() }) as never

/** A field that also takes the output of another Score. */
export function ref<S extends z.ZodType>(
  schema: S,
): z.ZodType<z.output<S> | Ref<z.output<S>>, z.input<S> | Ref<z.output<S>>> {
  return anyOf(schema, refSchema) as never
}

/** A field that also takes a secret. `interpret` sees a {@link Sensitive} then, also for a plain value. */
export function secretable<S extends z.ZodType>(
  schema: S,
): z.ZodType<z.output<S> | Secret, z.input<S> | Secret> {
  return Object.assign(anyOf(schema, secretSchema), { [secretableMark]: true }) as never
}

// Known to every copy of this module: the command and a project may have one each.
const secretableMark = Symbol.for('@harmony-iac/core:secretable')

/** Whether {@link secretable} made a schema: the values of its field reach `interpret` as {@link Sensitive}. */
export function isSecretable(schema: z.ZodType): boolean {
  return secretableMark in schema
}

/** Whether a value is a reference to an output (or text made of some). */
export function isRef(
  value: unknown,
): value is { readonly $ref: string; readonly output: string; readonly $text?: readonly unknown[] } {
  return typeof value === 'object' && value !== null && '$ref' in value
}

/** Whether a value is a secret. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && '$secret' in value
}

/** Whether a value is an asset. */
export function isAsset(value: unknown): value is Asset {
  return typeof value === 'object' && value !== null && '$asset' in value
}

/** Whether a value is inline bytes. */
export function isBytes(value: unknown): value is Bytes {
  return typeof value === 'object' && value !== null && '$bytes' in value
}

/** Whether anything in a spec is known late only. */
export function hasLateValues(spec: unknown): boolean {
  if (typeof spec !== 'object' || spec === null) return false
  if (isRef(spec) || isSecret(spec) || isAsset(spec) || isBytes(spec)) return true
  for (const key in spec) {
    const member = (spec as Record<string, unknown>)[key]
    if (typeof member === 'object' && hasLateValues(member)) return true
  }
  return false
}
