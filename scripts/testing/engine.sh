#!/bin/sh
# Runs a Docker Engine in a folder for as long as somebody holds the lock `users` there, and a while longer: the next file
# of a run finds it warm, and nobody has to remember to end it. Ends at once when another one runs there already.
# Usage: engine.sh FOLDER SECONDS
set -u
idle=$2
cd "$1" || exit

exec 8>running
flock --nonblock 8 || exit 0

# dockerd believes in a process id of a past life of the machine.
pid=$(cat docker.pid 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != dockerd ] && rm -f docker.pid

own_bridge=false
ip link show docker0 >/dev/null 2>&1 || own_bridge=true

# It ends with this script, also when that is killed.
setpriv --pdeathsig TERM dockerd --host "unix://$PWD/docker.sock" --data-root "$PWD/data" --exec-root "$PWD/run" \
  --pidfile "$PWD/docker.pid" >engine.log 2>&1 8>&- &
engine=$!
trap 'kill "$engine"' TERM INT

{
  while :; do
    flock --exclusive 9 # everybody has gone
    flock --unlock 9
    sleep "$idle"
    flock --nonblock 9 || continue
    kill -0 $$ || exit # this script was killed, and the engine with it
    # Whoever comes now waits for the lock, and then starts the next one.
    kill "$engine"
    while kill -0 "$engine" 2>/dev/null; do sleep 0.1; done
    exit
  done
} 8>&- 9>users &
watcher=$!

wait "$engine"
status=$?
# A signal ends the waiting before it ends the engine.
wait "$engine" 2>/dev/null
kill "$watcher" 2>/dev/null
# Another engine that has started since uses the same bridge.
"$own_bridge" && ! grep -qsx dockerd /proc/[0-9]*/comm && ip link delete docker0 2>/dev/null
exit "$status"
