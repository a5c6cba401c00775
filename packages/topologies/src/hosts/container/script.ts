/**
 * What serves files from inside a container: a script for any POSIX shell, with the programs of coreutils or BusyBox. It
 * reads requests from its input and answers them in turn, so that a thousand of them cost no round trip each; what is
 * asked never becomes part of a command line.
 *
 * A request is a word on a line, then its arguments on a line each, with every byte that is not plain as `\0ooo`. An
 * answer is whatever the programs print, then a line with the mark ($1, which nobody else knows) and the status.
 *
 * Whatever changes something does so by a bare name in its own working directory, after it has entered the folder and
 * seen that it is still the one that was meant: so what is put in the folder's place a moment later gets nothing.
 */
export const fileScript = String.raw`
mark=$1
umask 077
LC_ALL=C TZ=UTC0
export LC_ALL TZ
unset CDPATH
exec 3<&0 </dev/null
looks='=%f %s %u %g %i %d %Y %Z|%y|%z|%n'

get() {
  IFS= read -r value <&3 || exit 0
  case $value in
  *\\*) value=$(printf '%b.' "$value"); value=${'$'}{value%.} ;;
  esac
}
answer() { printf '\n%s %s\n' "$mark" "$1"; }
self=$(id -u):$(id -g)
take() { [ "$1" = 0 ] || dd bs="$1" count=1 iflag=fullblock "$2" <&3; }
flush() { dd if=/dev/null conv=fsync,notrunc; }
there() { [ -e "$1" ] || [ -L "$1" ]; }
paths() {
  get; count=$value
  set --
  while [ "$count" -gt 0 ]; do get; set -- "$@" "$value"; count=$((count - 1)); done
  "$program" "$@"
}
look() { stat -c "$looks" -- "$@"; }
content() { cat -- "$@"; answer $?; look "$@"; }
place() { get; folder=$value; get; name=./$value; }
enter() {
  if ! cd -P "$folder"; then
    stat -c '' -- "$folder/." && echo 'Permission denied'
    return 1
  fi 2>&1
  [ "$PWD" = "$folder" ] || { printf %s "$PWD"; return 99; }
}
fail() { echo "$1"; return 1; }
attributes() {
  if [ -L "$name" ]; then mode=-
  elif [ "$owner" != - ] && [ "$mode" = - ]; then mode=$(stat -c %a -- "$name"); fi
  [ "$owner" = - ] || chown -h "$owner" "$name" || return
  [ "$mode" = - ] || chmod "$mode" "$name"
}
created() (
  set -C
  if there "$name"; then echo 'File exists'; exit 2; fi
  exec 8>"$name" || exit 2
  # What is made has its owner already, unless the folder hands down its group.
  if [ "$owner" = "$self" ] && [ ! -g . ]; then owner=-; fi
  if [ "$size" != 0 ] && [ "$owner$mode" = -- ]; then take "$size" conv=fsync >&8
  else take "$size" conv=notrunc >&8 && attributes && flush >&8; fi || { rm -f "$name"; exit 3; }
)
extended() (
  there "$name" || echo new
  before=$(stat -c %s -- "$name" 2>/dev/null || echo 0)
  exec 8>>"$name" || exit 2
  if [ "$size" = 0 ]; then flush >&8; else take "$size" conv=fsync,notrunc >&8; fi ||
    { dd if=/dev/null of="$name" bs=1 seek="$before" count=0; exit 3; }
)
# What follows a request has to be read also when nothing can be done with it.
with_content() {
  enter
  status=$?
  if [ $status = 0 ]; then
    "$1"
    status=$?
    [ $status = 2 ] || return $status
  fi
  take "$size" conv=notrunc >/dev/null 2>&1
  return $status
}

while IFS= read -r verb <&3; do
  cd /
  case $verb in
  look) program=look; paths ;;
  content) program=content; paths ;;
  some) get; path=$value; get; head -c "$value" -- "$path" ;;
  part) get; path=$value; get
    dd if="$path" bs=262144 skip="$value" count=4 2>/dev/null || { head -c 1 -- "$path" >/dev/null; (exit 1); } ;;
  readlink) get; if [ -L "$value" ] || ! there "$value"; then readlink -n -- "$value" || stat -c '' -- "$value"
    else fail 'Invalid argument'; fi ;;
  realpath) get; stat -L -c '' -- "$value" >/dev/null && readlink -n -f -- "$value" ;;
  list) get; folder=$value
    if [ "$folder" != / ] && [ ! -d "$folder" ]; then stat -c '' -- "$folder/." || :; (exit 1)
    elif cd -P "$folder" && [ -r . ]; then
      for entry in * .[!.]* ..?*; do ! there "$entry" || printf '%s\0' "$entry"; done
    else fail 'Permission denied'; fi ;;
  pin) get; if cd -P "$value"; then printf %s "$PWD"
    else stat -c '' -- "$value/." && echo 'Permission denied'; (exit 1); fi ;;
  create) place; get; size=$value; get; mode=$value; get; owner=$value; with_content created ;;
  extend) place; get; size=$value; with_content extended ;;
  mkdir) place; get; mode=$value; get; owner=$value
    enter && mkdir -m 0700 "$name" && { attributes || { rmdir "$name"; (exit 1); }; } ;;
  symlink) place; get
    enter && if there "$name"; then fail 'File exists'; else ln -s -n -T -- "$value" "$name"; fi ;;
  rename) place; get
    enter && if [ -d "./$value" ] && [ ! -L "./$value" ] && [ ! -d "$name" ]; then fail 'Is a directory'
    else mv -f -T -- "$name" "./$value"; fi ;;
  unlink) place
    enter && if [ -d "$name" ] && [ ! -L "$name" ]; then fail 'Is a directory'
    elif there "$name"; then rm -f -- "$name"; else fail 'No such file or directory'; fi ;;
  rmdir) place; enter && rmdir -- "$name" ;;
  set) place; get; mode=$value; get; owner=$value
    enter && if there "$name"; then attributes; else fail 'No such file or directory'; fi ;;
  sync) get; folder=$value; enter && { sync . 2>/dev/null || sync; } ;;
  *) fail 'Invalid argument' ;;
  esac 2>&1
  answer $?
done
`
