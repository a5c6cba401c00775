/**
 * The image of the Linux hosts that tests work on: Debian with systemd, D-Bus, sshd and sudo, and nothing that Harmony
 * would bring or should not need (no Python). Made from Debian's archive, since that is reachable where registries are
 * not; its name holds the digest of the recipe, so that an older image is never taken for this one.
 */
import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
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
exec /sbin/init
START
chmod 0755 /sbin/start-host

# What the machine that builds the image left.
rm -f /etc/hostname /etc/resolv.conf
`

const digest = hash('sha256', JSON.stringify([suite, packages, setup])).slice(0, 12)

/** Its name and tag. */
const name = 'harmony-test-host'

/** The image's reference, once it is there; built by the first who asks. It takes half a minute. */
export async function hostImage(log: (line: string) => void = () => {}): Promise<string> {
  const docker = await engine()
  const reference = `${name}:${digest}`
  if (await isThere(docker, reference)) return reference
  using _ = await flock(join(sharedFolder(), 'host-image'), 'exclusive')
  if (await isThere(docker, reference)) return reference
  log(`building ${reference} from Debian's archive`)
  const folder = await mkdtemp(join(tmpdir(), 'harmony-host-image-'))
  try {
    const tar = join(folder, 'root.tar')
    await run(
      'mmdebstrap',
      [
        '--quiet',
        '--variant=minbase',
        `--include=${packages.join(',')}`,
        ...['man', 'doc', 'locale', 'info'].map((kind) => `--dpkgopt=path-exclude=/usr/share/${kind}/*`),
        `--customize-hook=chroot "$1" sh -c "$HARMONY_SETUP"`,
        suite,
        tar,
      ],
      { env: { ...process.env, HARMONY_SETUP: setup } },
    )
    const answer = await docker.importImage(createReadStream(tar), {
      repo: name,
      tag: digest,
      changes: ['CMD ["/sbin/start-host"]'],
    })
    const said = await text(answer)
    if (!(await isThere(docker, reference))) throw new Error(`${reference} was not imported: ${said}`)
    return reference
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function isThere(docker: Docker, reference: string): Promise<boolean> {
  const images = await docker.listImages({ filters: { reference: [reference] } })
  return images.length > 0
}
