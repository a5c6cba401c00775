/**
 * Connecting to a unix socket in a container. The engine's API has no such call: a program in the container connects,
 * and passes on what comes and goes. Perl is in every Debian; the others are what small images may have.
 */
import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { HarmonyError } from '@harmony-iac/core'
import type { Sessions } from '../sessions.ts'

const perl = String.raw`
use strict; use Socket;
my ($mark, $path) = @ARGV;
$| = 1; $SIG{PIPE} = 'IGNORE';
socket(my $far, PF_UNIX, SOCK_STREAM, 0) or exit 1;
connect($far, sockaddr_un($path)) or do { print "$mark $!\n"; exit 1 };
print "$mark connected\n";
sub pass { my ($to, $bytes) = @_; while (length $bytes) { my $n = syswrite($to, $bytes) or exit; substr($bytes, 0, $n) = '' } }
my $open = 1;
for (;;) {
  my $wanted = '';
  vec($wanted, fileno($far), 1) = 1;
  vec($wanted, 0, 1) = 1 if $open;
  select(my $ready = $wanted, undef, undef, undef);
  if (vec($ready, fileno($far), 1)) { sysread($far, my $bytes, 65536) or exit; pass(\*STDOUT, $bytes) }
  if ($open && vec($ready, 0, 1)) {
    if (sysread(STDIN, my $bytes, 65536)) { pass($far, $bytes) } else { $open = 0; shutdown($far, 1) }
  }
}`

const python = `
import os, select, socket, sys
mark, path = sys.argv[1:]
far = socket.socket(socket.AF_UNIX)
try: far.connect(path)
except OSError as error: print(mark, error.strerror, flush=True); sys.exit(1)
print(mark, 'connected', flush=True)
def put(bytes):
    while bytes: bytes = bytes[os.write(1, bytes):]
open = [far, 0]
while True:
    for ready in select.select(open, [], [])[0]:
        if ready is far:
            bytes = far.recv(65536)
            if not bytes: sys.exit()
            put(bytes)
        else:
            bytes = os.read(0, 65536)
            if bytes: far.sendall(bytes)
            else: open.remove(0); far.shutdown(socket.SHUT_WR)`

// $1 the mark, $2 the path, $3 and $4 the programs above. The last two say nothing when they have connected: a connection
// that is closed again asks for that. socat reads more into some paths than a path.
const script = `
has() { command -v "$1" >/dev/null 2>&1; }
say() { printf '%s %s\\n' "$mark" "$1"; }
mark=$1 path=$2
[ -e "$path" ] || { say 'there is no such socket'; exit 1; }
if has perl && perl -MSocket -e 1 2>/dev/null; then exec perl -e "$3" -- "$mark" "$path"; fi
if has python3; then exec python3 -c "$4" "$mark" "$path"; fi
case $path in
*[!A-Za-z0-9_@%+=./-]*) ;;
*) if has socat; then
    socat -u OPEN:/dev/null "UNIX-CONNECT:$path" 2>/dev/null || { say 'connection refused'; exit 1; }
    say connected
    exec socat - "UNIX-CONNECT:$path"
  fi ;;
esac
case $(nc -h 2>&1) in
*-U*) nc -z -U "$path" || { say 'connection refused'; exit 1; }
  say connected
  exec nc -U "$path" ;;
esac
say 'no helper'`

/** As `Host.dial`. */
export async function dialInContainer(sessions: Sessions, path: string): Promise<Duplex> {
  const mark = `harmony-${randomBytes(9).toString('base64url')}`
  const line = ['/bin/sh', '-c', script, 'sh', mark, path, perl, python] as const
  // Not the promise itself: a connection that is refused there is no failure of the session.
  const { dialled } = await sessions.session(line, (channel) => ({
    dialled: new Promise<Duplex>((resolve, reject) => {
      let text: Buffer = Buffer.alloc(0)
      channel.stderr.resume()
      const onClose = () =>
        reject(sessions.connection.failure() ?? refused(sessions, path, 'the helper has ended'))
      const onError = () => {}
      // Read piece by piece: a stream that flows goes on when nobody listens, one that was paused stays so.
      const onReadable = () => {
        for (let chunk = channel.read(); chunk !== null; chunk = channel.read()) {
          text = Buffer.concat([text, chunk])
          const end = text.indexOf(10)
          if (end < 0) continue
          channel.off('readable', onReadable)
          channel.off('close', onClose)
          const said = text.toString('utf8', mark.length + 1, end)
          if (said !== 'connected') {
            channel.destroy()
            reject(said === 'no helper' ? noHelper(sessions, path) : refused(sessions, path, said))
            return
          }
          if (end + 1 < text.length) channel.unshift(text.subarray(end + 1))
          channel.off('error', onError)
          resolve(channel)
          return
        }
      }
      channel.on('readable', onReadable)
      channel.on('error', onError)
      channel.once('close', onClose)
    }),
  }))
  return await dialled
}

function refused({ connection: { endpoint } }: Sessions, path: string, said: string): HarmonyError {
  return new HarmonyError(
    'unreachable',
    `${path}: nobody answers at this socket in ${endpoint.name}: ${said}`,
    {
      hint: 'start the service that listens there, or check that you may connect to it',
    },
  )
}

function noHelper({ connection: { endpoint } }: Sessions, path: string): HarmonyError {
  return new HarmonyError('unreachable', `${path}: nothing in ${endpoint.name} can connect to a socket`, {
    hint: 'install one of these there: socat, perl, python3, netcat-openbsd',
  })
}
