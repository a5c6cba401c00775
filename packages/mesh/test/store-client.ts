/**
 * A process that uses a store in a file, for tests on several of them: `store-client.ts VERB PATH …`. It prints a line for
 * whatever is done, as soon as it is, so that a test knows what a killed one had been acknowledged.
 */
import { readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqliteStore } from '@harmony-iac/mesh'
import { countUp } from '../src/testing/store-writes.ts'

const [verb = '', path = '', ...rest] = process.argv.slice(2)
const store = await openSqliteStore(path, { create: true, waitMs: 30_000 })
const [key = '', count = ''] = rest

switch (verb) {
  case 'count':
    console.log(await countUp(store, key, Number(count)))
    break
  case 'write':
    for (let i = 0; ; i++) {
      const { revision } = await store.put(`${key}.${i}`, new Uint8Array(2000).fill(i), 'absent')
      console.log(`${i} ${revision}`)
    }
  case 'watch':
    for await (const event of store.watch({ below: key }, { after: rest[1] }))
      if (event.type === 'put') console.log(`${event.entry.key} ${event.entry.revision} ${event.cursor}`)
      else console.log(`${event.type} - ${'cursor' in event ? event.cursor : ''}`)
    break
  case 'forget':
    // Never read on, nor returned from: with the store closed, that must not keep the process alive.
    console.log((await store.watch({ below: key })[Symbol.asyncIterator]().next()).value?.type)
    break
  case 'idle': {
    // What is written in two turns of the timer that looks for what it was not told.
    for await (const { type } of store.watch({ below: key })) if (type === 'current') break
    const ended = new AbortController()
    const watching = (async () => {
      let told = 0
      for await (const { type } of store.watch({ below: key }, { signal: ended.signal }))
        if (type !== 'current') told++
      return told
    })()
    await sleep(500)
    const before = written()
    const { user, system } = process.cpuUsage()
    await sleep(2500)
    const spent = process.cpuUsage({ user, system })
    const after = written()
    ended.abort()
    const cpuMs = (spent.user + spent.system) / 1000
    console.log(JSON.stringify({ before, after, cpuMs, told: await watching }))
  }
}
await store.close()

/** What this process has made the disk write, and when the files were written; they may be on no disk at all. */
function written(): readonly unknown[] {
  const bytes = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]
  return [bytes, ...['', '-wal', '-shm'].map((file) => statSync(path + file).mtimeMs)]
}
