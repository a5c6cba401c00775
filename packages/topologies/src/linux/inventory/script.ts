/**
 * Prints the facts of a host: a line each, a word for what it is and fields between tabs. For dash, bash and BusyBox;
 * nothing is ever put into it. What a host does not have is left out; the last line says that nothing was cut off.
 */
export const inventoryScript = String.raw`
read_line() { value=; { read -r value <"$1"; } 2>/dev/null || :; }
fact() { read_line "$2"; [ -z "$value" ] || printf '%s\t%s\n' "$1" "$value"; }
lines() { while read -r line || [ -n "$line" ]; do printf '%s\t%s\n' "$1" "$line"; done; }

printf 'architecture\t%s\n' "$(uname -m)"
printf 'kernel\t%s\n' "$(uname -r)"
printf 'hostname\t%s\n' "$(uname -n)"
for file in /etc/os-release /usr/lib/os-release; do
  if [ -r "$file" ]; then lines os <"$file"; break; fi
done
fact model /proc/device-tree/model
fact vendor /sys/class/dmi/id/sys_vendor
fact product /sys/class/dmi/id/product_name
printf 'processors\t%s\n' "$(getconf _NPROCESSORS_ONLN 2>/dev/null || nproc 2>/dev/null)"
[ ! -r /proc/meminfo ] || lines memory </proc/meminfo
while read -r key value; do
  if [ "$key" = btime ]; then printf 'booted\t%s\n' "$value"; fi
done </proc/stat
for disk in /sys/block/*; do
  [ -e "$disk/device" ] || continue
  read_line "$disk/size"; size=$value
  read_line "$disk/removable"; removable=$value
  read_line "$disk/device/model"; model=$value
  [ -n "$model" ] || { read_line "$disk/device/name"; model=$value; }
  printf 'disk\t%s\t%s\t%s\t%s\n' "$(basename "$disk")" "$size" "$removable" "$model"
done
df -P -T -l -B1 -x tmpfs -x devtmpfs -x squashfs -x efivarfs 2>/dev/null | lines mounted
for link in /sys/class/net/*; do
  [ -d "$link" ] || continue
  read_line "$link/operstate"; state=$value
  read_line "$link/address"; mac=$value
  printf 'interface\t%s\t%s\t%s\n' "$(basename "$link")" "$state" "$mac"
done
PATH=$PATH:/usr/sbin:/sbin
if command -v ip >/dev/null; then
  printf 'addresses\n'
  ip -o address show 2>/dev/null | lines address
fi
if [ -d /run/systemd/system ]; then systemctl --version 2>/dev/null | lines systemd; fi
printf 'end\n'
`
