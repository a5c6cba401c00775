/**
 * One end of a unix socket, for tests that kill it: `socket-client.ts listen|ask PATH`. Who listens sends one part and works
 * until nobody waits; who asks waits for more. Each prints what it sees.
 */
import { listenOnSocket, socketCarrier } from '@harmony-iac/mesh'

const [end = '', path = ''] = process.argv.slice(2)

if (end === 'listen') {
  await listenOnSocket(path, async (_, { send, signal }) => {
    console.log('asked')
    signal.addEventListener('abort', () => console.log('left alone'), { once: true })
    await send(new TextEncoder().encode('part'))
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  })
  console.log('listening')
} else {
  const replies = socketCarrier(path).exchange('a', new Uint8Array(1), new AbortController().signal)
  for await (const reply of replies) console.log(Buffer.from(reply).toString())
}
