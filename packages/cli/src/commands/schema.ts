/** `harmony schema`: JSON Schemas of specs and events, as a document. Everything heavy is loaded here and only here. */
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
    kind === 'event' ? eventDocument(type) : type === undefined ? kindDocument(kind) : tooMuch(type)
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

function kindDocument(name: string | undefined): unknown {
  if (name === undefined)
    return {
      kinds: schemasOf(knownKinds().map((definition) => [definition.kind, kindSchema(definition)])),
      events: eventDocument(undefined),
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
  throw new HarmonyError('usage', `${word} is too much: harmony schema KIND, or harmony schema event TYPE`)
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
