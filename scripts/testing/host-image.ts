/**
 * The image of the Linux hosts that tests work on: Debian with systemd, D-Bus, sshd and sudo, and nothing that Harmony
 * would bring or should not need (no Python). Made from Debian's archive, since that is reachable where registries are
 * not; its name holds the digest of the recipe, so that an older image is never taken for this one.
 */
import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import type Docker from 'dockerode'
import { engine, sharedFolder } from './engine.ts'
import { flock } from './flock.ts'

const run = promisify(execFile)

const suite = 'bookworm'

const packages = [
  'dbus',
  'iproute2',
  'openssh-server',
  'openssh-sftp-server',
  'procps',
  'sudo',
  'systemd',
  'systemd-sysv',
  'util-linux',
]

/** Runs in the new system. */
const setup = `
set -eu
useradd --create-home --shell /bin/bash pi
echo 'pi ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/pi
chmod 0440 /etc/sudoers.d/pi
useradd --create-home --shell /bin/bash --groups sudo admin

# Every host has a key of its own, made when it first starts.
rm -f /etc/ssh/ssh_host_*
echo 'HostKey /etc/ssh/ssh_host_ed25519_key' >/etc/ssh/sshd_config.d/host-key.conf
cat >/etc/systemd/system/ssh-host-key.service <<'UNIT'
[Unit]
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
[Install]
RequiredBy=ssh.service
UNIT
systemctl enable ssh-host-key.service

# The engine mounts these over the machine's own, which then could not be replaced as on a real machine.
cat >/sbin/start-host <<'START'
#!/bin/sh
for file in /etc/hostname /etc/hosts; do
  given=$(cat $file)
  umount $file
  [ -s $file ] || printf '%s\\n' "$given" >$file
done
# Settings of the kernel are not the host's to change, apart from those that every network has for itself.
mount --bind /proc/sys/net /proc/sys/net
mount -o remount,rw,bind /proc/sys/net
exec /sbin/init
START
chmod 0755 /sbin/start-host

# What the machine that builds the image left.
rm -f /etc/hostname /etc/resolv.conf
`

const left = ['man', 'doc', 'locale', 'info'].map((kind) => `--dpkgopt=path-exclude=/usr/share/${kind}/*`)

/** Arguments of mmdebstrap; `$SETUP` comes from the environment. */
const recipe = [
  '--quiet',
  '--variant=minbase',
  `--include=${packages.join(',')}`,
  ...left,
  '--dpkgopt=force-unsafe-io',
  '--customize-hook=chroot "$1" sh -c "$SETUP"',
  suite,
]

const name = 'harmony-test-host'
const tag = hash('sha256', JSON.stringify([recipe, setup])).slice(0, 12)
const reference = `${name}:${tag}`

/** The image's reference, once it is there; built by the first who asks, which takes the better part of a minute. */
export async function hostImage(log: (line: string) => void = () => {}): Promise<string> {
  const docker = await engine()
  if (await isThere(docker)) return reference
  const folder = sharedFolder()
  using _ = await flock(join(folder, 'host-image'), 'exclusive')
  if (await isThere(docker)) return reference
  log(`building ${reference} from Debian's archive`)
  // Nobody else writes it while the lock is held; what a killed run left is written over.
  const tar = join(folder, 'host-image.tar')
  try {
    await run('mmdebstrap', [...recipe, tar], { env: { ...process.env, SETUP: setup } })
    const said = await text(
      await docker.importImage(createReadStream(tar), {
        repo: name,
        tag,
        changes: ['CMD ["/sbin/start-host"]'],
      }),
    )
    if (!(await isThere(docker))) throw new Error(`${reference} was not imported: ${said}`)
    return reference
  } finally {
    await rm(tar, { force: true })
  }
}

async function isThere(docker: Docker): Promise<boolean> {
  const images = await docker.listImages({ filters: { reference: [reference] } })
  return images.length > 0
}
