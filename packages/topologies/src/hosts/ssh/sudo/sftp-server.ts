/**
 * Files as root: OpenSSH's own SFTP server, run under sudo in the place of the one that sshd would run for whoever has
 * logged in.
 */
import type { Duplex } from 'node:stream'
import { HarmonyError, isHarmonyError } from '@harmony-iac/core'
import type { SFTPWrapper } from 'ssh2'
import type { Access } from '../access.ts'

// Where Debian, Fedora, SUSE and Arch, and others have it; then where sshd_config says. `internal-sftp` is inside sshd.
const script = `for program in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server \\
  /usr/libexec/sftp-server /usr/lib/sftp-server; do
  [ -x "$program" ] && exec "$program"
done
program=$(PATH=$PATH:/usr/sbin:/sbin sshd -T 2>/dev/null | sed -n 's/^subsystem sftp \\(\\/[^ ]*\\).*/\\1/p')
[ -x "$program" ] && exec "$program"
echo 'there is no sftp-server' >&2
exit 127`

/**
 * Starts it.
 * @throws HarmonyError `unreachable` when the host has none.
 */
export async function openSftpServer({ session, connection }: Access): Promise<SFTPWrapper> {
  const { opened } = await session(
    ['/bin/sh', '-c', script],
    (channel) => {
      let complaint = ''
      channel.stderr.on('data', (chunk: Buffer) => {
        complaint = (complaint + chunk.toString()).slice(-1000)
      })
      channel.on('error', () => {}) // the end of the connection is told by `lost`
      return {
        opened: overStream(channel).catch((error: unknown) => {
          throw new HarmonyError(
            'unreachable',
            `${connection.endpoint.name}: no SFTP server runs under sudo: ${complaint.trim() || String(error)}`,
            { hint: 'apt install openssh-sftp-server', cause: error },
          )
        }),
      }
    },
    { use: 'lasting' },
  )
  const onLost = new Promise<never>((_, reject) => {
    const lose = () => reject(connection.failure())
    if (connection.lost.aborted) lose()
    connection.lost.addEventListener('abort', lose, { once: true })
  })
  try {
    return await Promise.race([opened, onLost])
  } catch (error) {
    throw connection.lost.aborted && isHarmonyError(connection.failure()) ? connection.failure() : error
  }
}

/**
 * ssh2's SFTP client on any stream. It is made for a channel that sshd has connected to its own server, and wants of it
 * no more than this; flow is controlled by the stream's own channel.
 */
async function overStream(stream: Duplex): Promise<SFTPWrapper> {
  const opened = Promise.withResolvers<SFTPWrapper>()
  // Before anything is awaited: what the server says may be here already.
  const early: Buffer[] = []
  const keep = (chunk: Buffer) => early.push(chunk)
  stream.on('data', keep)
  const ended = () => opened.reject(new Error('it ended at once'))
  stream.once('close', ended)
  // Not exported by its index. CommonJS, without types.
  const { SFTP } = (await import('ssh2/lib/protocol/SFTP.js' as string)) as { SFTP: SftpConstructor }
  const sftp = new SFTP(
    {
      _protocol: {
        _remoteIdentRaw: Buffer.from('SSH-2.0-OpenSSH'), // whose server it is
        channelData: (_id, bytes) => void stream.write(bytes),
        channelClose: () => void stream.end(),
      },
    },
    {
      type: 'session',
      incoming: { id: 0, window: Number.MAX_SAFE_INTEGER, packetSize: 32_768, state: 'open' },
      outgoing: { id: 0, window: Number.POSITIVE_INFINITY, packetSize: 262_144, state: 'open' },
    },
  )
  sftp.once('ready', () => opened.resolve(sftp))
  sftp.on('error', (error: unknown) => opened.reject(error))
  stream.off('data', keep)
  for (const chunk of early) sftp.push(chunk)
  stream.on('data', (chunk: Buffer) => sftp.push(chunk))
  // Ends the requests that are open.
  stream.once('close', () => sftp.push(null))
  sftp._init()
  try {
    return await opened.promise
  } finally {
    stream.off('close', ended)
  }
}

interface SftpConstructor {
  new (
    client: {
      readonly _protocol: {
        readonly _remoteIdentRaw: Buffer
        channelData(id: number, bytes: Buffer): void
        channelClose(id: number): void
      }
    },
    info: { readonly type: string; readonly incoming: Half; readonly outgoing: Half },
  ): SFTPWrapper & { push(chunk: Buffer | null): void; _init(): void }
}

interface Half {
  readonly id: number
  readonly window: number
  readonly packetSize: number
  readonly state: 'open'
}
