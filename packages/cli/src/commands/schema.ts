/** `harmony schema`: JSON Schemas of specs, events and what travels, as a document. Everything heavy is loaded here and only here. */
import { type KindDefinition, kindOf, knownKinds } from '@harmony-iac/core'
import { HarmonyError } from '@harmony-iac/core/errors'
import * as z from 'zod'
import type { Run } from '../context.ts'
import { lookForProject } from '../project/find.ts'
import { openProject } from '../project/open.ts'
import { jsonText } from '../render/sanitize.ts'
import { commandEvents } from '../schemas.ts'

export const run: Run = async (context) => {
  const { args, io } = context
  const [kind, type] = args.positionals
  await import('@harmony-iac/scores')
  // A project may bring kinds of its own.
  if (args.options.project !== undefined || lookForProject(io.cwd, undefined))
    await openProject(context, false)
  const document =
    kind === 'event'
      ? eventDocument(type)
      : kind === 'wire'
        ? await wireDocument(type)
        : type === undefined
          ? await kindDocument(kind)
          : tooMuch(type)
  io.out.write(`${jsonText(document, 2)}\n`)
  return { status: 0 }
}

function eventDocument(type: string | undefined): unknown {
  if (type === undefined)
    return schemasOf(Object.entries(commandEvents).map(([name, schema]) => [name, eventSchema(schema)]))
  const schema = (commandEvents as Readonly<Record<string, z.ZodType>>)[type]
  if (!schema || !Object.hasOwn(commandEvents, type))
    throw new HarmonyError('usage', `there is no event of the type ${type}`, {
      hint: `types: ${Object.keys(commandEvents).join(', ')}`,
    })
  return eventSchema(schema)
}

async function wireDocument(name: string | undefined): Promise<unknown> {
  const { wireSchemas } = await import('@harmony-iac/mesh/bundle')
  const schemas: Readonly<Record<string, z.ZodType>> = wireSchemas()
  if (name === undefined)
    return schemasOf(Object.entries(schemas).map(([each, schema]) => [each, eventSchema(schema)]))
  const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined
  if (schema) return eventSchema(schema)
  throw new HarmonyError('usage', `nothing that travels is called ${name}`, {
    hint: `documents: ${Object.keys(schemas).join(', ')}`,
  })
}

async function kindDocument(name: string | undefined): Promise<unknown> {
  if (name === undefined)
    return {
      kinds: schemasOf(knownKinds().map((definition) => [definition.kind, kindSchema(definition)])),
      events: eventDocument(undefined),
      wire: await wireDocument(undefined),
    }
  const definition = kindOf(name)
  if (definition) return kindSchema(definition)
  throw new HarmonyError('usage', `there is no kind of Score ${name}`, {
    hint: `kinds: ${knownKinds()
      .map((each) => each.kind)
      .join(', ')}`,
  })
}

function tooMuch(word: string): never {
  throw new HarmonyError(
    'usage',
    `${word} is too much: harmony schema KIND, harmony schema event TYPE, or harmony schema wire NAME`,
  )
}

function kindSchema({ kind, version, spec }: KindDefinition): unknown {
  // What is written may leave out what has a default.
  return {
    ...z.toJSONSchema(spec, { io: 'input' }),
    title: kind,
    description: `spec of ${kind}, version ${version}`,
  }
}

function eventSchema(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, { io: 'output' })
}

function schemasOf(entries: readonly (readonly [string, unknown])[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(entries)
}
