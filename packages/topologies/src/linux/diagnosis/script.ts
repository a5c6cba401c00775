/**
 * Prints what a host has and lacks: a line each, a word for what it is and fields between tabs. $1 is the folder of the
 * ledger. For dash, bash and BusyBox; changes nothing, though sudo may note in its log that it was asked. What a host
 * does not have is left out; the last line says that nothing was cut off.
 */
export const diagnosisScript = String.raw`
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
tell() { printf '%s\t%s\n' "$1" "$2"; }

tell time "$(date +%s)"
tell user "$(id -un 2>/dev/null)"
tell architecture "$(uname -m)"
tell bits "$(getconf LONG_BIT 2>/dev/null)"
for program in flock apt-get dpkg-query sysctl useradd usermod userdel groupadd groupmod groupdel gpasswd chpasswd systemd-analyze; do
  if command -v "$program" >/dev/null 2>&1; then tell program "$program"; fi
done
read -r first </proc/1/comm 2>/dev/null && tell init "$first"
if [ -d /run/systemd/system ]; then tell systemd running; fi
if [ -S /run/dbus/system_bus_socket ]; then tell bus there; fi
engine=/var/run/docker.sock
if [ -S "$engine" ]; then
  tell engine there
  if [ -r "$engine" ] && [ -w "$engine" ]; then tell engine allowed; fi
  tell group "$(stat -L -c %G "$engine" 2>/dev/null)"
fi
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then tell sudo absent
  elif sudo -n true >/dev/null 2>&1 </dev/null; then tell sudo passwordless
  else tell sudo password; fi
fi
place=$1
while [ ! -d "$place" ]; do place=$(dirname "$place"); done
[ -w "$place" ] || tell unwritable "$place"
for folder in / "$place" /etc /usr /var; do
  df -P -k "$folder" 2>/dev/null | while read -r _ size _ available _ mounted; do
    case $size in *[!0-9]* | '') ;; *) printf 'space\t%s\t%s\t%s\n' "$size" "$available" "$mounted" ;; esac
  done
  df -P -i "$folder" 2>/dev/null | while read -r _ size _ available _ mounted; do
    case $size in *[!0-9]* | '' | 0) ;; *) printf 'inodes\t%s\t%s\t%s\n' "$size" "$available" "$mounted" ;; esac
  done
done
while read -r _ mounted _ options _; do
  case $mounted in
  / | /etc | /usr | /var | /var/lib) ;;
  *) case $place/ in "$mounted"/*) ;; *) continue ;; esac ;;
  esac
  case $options in ro | ro,*) tell readonly "$mounted" ;; *) tell writable "$mounted" ;; esac
done </proc/mounts 2>/dev/null
tell end ''
`
