/**
 * Sockets that only root may open. sshd opens sockets as whoever has logged in, so a program does it under sudo and hands
 * the bytes on. What hosts have differs: Perl is on every Debian (perl-base is essential), Python on most others; where
 * there is neither, the two sockets that matter have programs of their own.
 */
import type { Duplex } from 'node:stream'
import { HarmonyError } from '@harmony-iac/core'
import type { Access } from '../access.ts'

// Both say in one line whether they are connected. Each direction has a process (or thread) of its own, since one that
// waits for its reader must not keep the other from going on. When our side has no more to say, they wait for the other
// side's end, or for that of the connection, which leaves nobody to hand bytes to: so nothing of ours stays on a host.
const perl = `use IO::Socket::UNIX; use IO::Poll qw(POLLERR);
my $socket = IO::Socket::UNIX->new(Peer => shift) or do { syswrite STDOUT, "refused $!\\n"; exit 1 };
syswrite STDOUT, "connected\\n";
sub copy {
  my ($from, $to) = @_;
  while (sysread $from, my $bytes, 65536) {
    for (my $at = 0; $at < length $bytes;) { $at += syswrite($to, $bytes, 65536, $at) || return }
  }
}
$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = sub { exit };
defined(my $child = fork) or exit 1;
if (!$child) { copy($socket, \\*STDOUT); exit }
copy(\\*STDIN, $socket);
shutdown $socket, 1;
my $poll = IO::Poll->new;
$poll->mask(\\*STDOUT => POLLERR);
$poll->poll;
kill 'TERM', $child;`

const python = `import os, select, socket, sys, threading
s = socket.socket(socket.AF_UNIX)
try:
    s.connect(sys.argv[1])
except OSError as error:
    os.write(1, ("refused %s\\n" % error.strerror).encode())
    sys.exit(1)
os.write(1, b"connected\\n")
def down():
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            while piece:
                piece = piece[os.write(1, piece):]
    finally:
        os._exit(0)
threading.Thread(target=down, daemon=True).start()
try:
    while True:
        piece = os.read(0, 65536)
        if not piece:
            break
        s.sendall(piece)
    s.shutdown(socket.SHUT_WR)
    waiting = select.poll()
    waiting.register(1, 0)
    waiting.poll()
finally:
    os._exit(0)`

// $1 the socket, $2 and $3 the programs for Perl and Python. A Perl may lack its modules.
const script = `perl -MIO::Socket::UNIX -MIO::Poll -e 1 2>/dev/null && exec perl -e "$2" "$1"
command -v python3 >/dev/null 2>&1 && exec python3 -c "$3" "$1"
[ -S "$1" ] || { echo 'refused No such file or directory'; exit 1; }
case $1 in
*/system_bus_socket)
  command -v systemd-stdio-bridge >/dev/null 2>&1 && echo connected && exec systemd-stdio-bridge ;;
*/docker.sock)
  command -v docker >/dev/null 2>&1 && echo connected && exec docker -H "unix://$1" system dial-stdio ;;
esac
echo nothing
exit 1`

/** The program that connects to a socket and hands on bytes, for a host's shell. */
export function relayArgv(socketPath: string): readonly [string, ...string[]] {
  return ['/bin/sh', '-c', script, 'sh', socketPath, perl, python]
}

/**
 * Connects to a socket through such a program.
 * @throws HarmonyError `unreachable`
 */
export async function dialThrough({ session, connection }: Access, socketPath: string): Promise<Duplex> {
  const { answer, channel } = await session(
    relayArgv(socketPath),
    (opened) => {
      opened.on('error', () => {}) // the end of the connection is told by `lost`
      opened.stderr.resume()
      return { channel: opened, answer: firstLine(opened) }
    },
    { use: 'socket' },
  )
  const said = await answer
  if (connection.lost.aborted) throw connection.failure()
  if (said === 'connected') return channel
  channel.close()
  const { name } = connection.endpoint
  if (said === 'nothing')
    throw new HarmonyError('unreachable', `${socketPath}: nothing on ${name} can reach this socket as root`, {
      hint: 'install one of perl-base and python3 there: sudo runs it to connect, since sshd does so as whoever has logged in',
    })
  throw new HarmonyError('unreachable', `${socketPath}: nobody answers at this socket on ${name}`, {
    hint: 'start the service that listens there',
    cause: new Error(said.replace(/^refused /, '') || 'the program that was to connect has ended'),
  })
}

/** Takes the first line off a stream; all that follows is still to be read. */
function firstLine(stream: Duplex): Promise<string> {
  return new Promise((resolve) => {
    let before = Buffer.alloc(0)
    const done = (line: string) => {
      stream.off('readable', look)
      stream.off('close', end)
      stream.off('end', end)
      resolve(line)
    }
    const end = () => done(before.toString())
    const look = () => {
      for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read()) {
        before = Buffer.concat([before, chunk])
        const at = before.indexOf(10)
        if (at < 0) continue
        const rest = before.subarray(at + 1)
        if (rest.length > 0) stream.unshift(rest)
        done(before.toString('utf8', 0, at))
        return
      }
    }
    stream.on('readable', look)
    stream.once('end', end)
    stream.once('close', end)
  })
}
