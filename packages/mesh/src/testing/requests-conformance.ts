/**
 * What requests have to keep over every carrier, as checks with names:
 * `for (const { name, run } of requestsConformance({ … })) test(name, run)`.
 */
import type { Json } from '@harmony-iac/core'
import { answering } from '../requests/answer.ts'
import { requestsOver } from '../requests/ask.ts'
import type { Carrier, Listening, Serve } from '../requests/carrier.ts'
import type { Answer, AskerKeys, AskOptions, Question, Received, Requests } from '../requests/requests.ts'
import type { Check } from './demand.ts'
import { answerRules } from './requests-answers.ts'
import { forgeryRules } from './requests-forgeries.ts'
import { type Tampering, tamperedCarrier } from './tampering.ts'
import { testKeys } from './test-keys.ts'

/** Where a check is played. Disposing of it removes everything. */
export interface RequestsStage extends AsyncDisposable {
  readonly carrier: Carrier
  listen(agent: string, serve: Serve): Promise<Listening>
}

/** What is judged. */
export interface RequestsConformance {
  /** In front of each name: `unix socket`. */
  readonly name: string
  readonly open: () => Promise<RequestsStage>
}

/** A rule of the contract, in words, with the check. */
export type RequestRule = readonly [name: string, check: (scene: Scene) => Promise<void>]

/** The agent `kiosk-1`, whoever asks it, and whatever lies between. */
export class Scene implements AsyncDisposable {
  readonly keys = testKeys()
  readonly received: Received[] = []
  readonly stage: RequestsStage
  #listening: Listening | undefined

  constructor(stage: RequestsStage) {
    this.stage = stage
  }

  /** Starts the agent. */
  async answer(answer: Answer, agent = 'kiosk-1'): Promise<Listening> {
    const noting: Answer = (question, signal) => {
      this.received.push(question)
      return answer(question, signal)
    }
    const serve = answering({ agent, keys: this.keys.agent, answer: noting })
    this.#listening = await this.stage.listen('kiosk-1', serve)
    return this.#listening
  }

  /** Somebody who asks, over a carrier that may be tampered with. */
  requests(tampering: Tampering = {}, keys: AskerKeys = this.keys.asker): Requests {
    return requestsOver(tamperedCarrier(this.stage.carrier, tampering), keys)
  }

  /** The whole answer. */
  async ask(
    question: Partial<Question> = {},
    { requests = this.requests(), ...options }: Partial<AskOptions> & { readonly requests?: Requests } = {},
  ): Promise<readonly Json[]> {
    const parts: Json[] = []
    const asked = requests.ask(
      'kiosk-1',
      { verb: 'test', params: null, ...question },
      { withinMs: 10_000, ...options },
    )
    for await (const part of asked) parts.push(part)
    return parts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening?.close()
    await this.stage[Symbol.asyncDispose]()
  }
}

/** All checks. Each has a stage of its own. */
export function requestsConformance({ name, open }: RequestsConformance): readonly Check[] {
  return [...answerRules, ...forgeryRules].map(([rule, check]) => ({
    name: `${name}: ${rule}`,
    run: async () => {
      await using scene = new Scene(await open())
      await check(scene)
    },
  }))
}
