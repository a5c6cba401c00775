/** A watch as a test reads it: an event at a time, none of them for long. */
import type { Cursor, Selection, Store, StoreEvent } from '../store/store.ts'
import { demand, within } from './demand.ts'

/** What has been told: the text of a value, or `gone`. */
export type Told = readonly [key: string, value: string]

/** Reads one watch. Disposing of it ends the watch. */
export class Watcher implements AsyncDisposable {
  readonly #ended = new AbortController()
  readonly #events: AsyncIterator<StoreEvent>
  /** Of the last event that had one. */
  cursor: Cursor | undefined

  constructor(store: Store, selection: Selection, after?: Cursor) {
    this.cursor = after
    const watch = store.watch(selection, { after, signal: this.#ended.signal })
    this.#events = watch[Symbol.asyncIterator]()
  }

  /** The next event. */
  async next(): Promise<StoreEvent> {
    const { done, value } = await within(this.#events.next(), 'a watch')
    demand(!done, 'a watch ended by itself')
    if ('cursor' in value) this.cursor = value.cursor
    return value
  }

  /** What is told up to and without the next event of that type. */
  async until(type: StoreEvent['type']): Promise<readonly Told[]> {
    const told: Told[] = []
    for (let event = await this.next(); event.type !== type; event = await this.next()) {
      demand(event.type === 'put' || event.type === 'delete', `a watch told ${event.type} before ${type}`)
      told.push(asTold(event))
    }
    return told
  }

  /** The next change. */
  async change(): Promise<Told> {
    const event = await this.next()
    demand(event.type === 'put' || event.type === 'delete', `a watch told ${event.type}, not a change`)
    return asTold(event)
  }

  /** Whether it ends after its signal is aborted. */
  async end(): Promise<void> {
    const next = this.#events.next()
    this.#ended.abort()
    await within(next, 'the end of a watch')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    await this.#events.return?.()
  }
}

function asTold(event: StoreEvent & { readonly type: 'put' | 'delete' }): Told {
  return event.type === 'put'
    ? [event.entry.key, Buffer.from(event.entry.value).toString()]
    : [event.key, 'gone']
}
