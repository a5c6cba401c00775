/** What hostile text is tried on: a valid spec of every kind of Score, and which of its fields are code. */
import { randomBytes } from 'node:crypto'
import type * as scores from '@harmony-iac/scores'

export type Kind = keyof typeof scores

/** A spec to be spoilt. */
export interface Prey {
  /** A valid spec, another thing for every id. */
  readonly spec: (id: string) => unknown
  /** Fields that are code for a shell, or for the service manager, so that hostile text in them is what was asked for. */
  readonly code?: readonly string[]
  /** Fields whose names are the user's. */
  readonly records?: readonly string[]
  /** Only these in place of all: where a host has one such thing, every value costs an apply. */
  readonly values?: 'worst' | 'options'
  /** Fields that hold whatever they are given: tried all at once, where one try each would take too long. */
  readonly together?: readonly string[]
}

// Each of the kernel has one value, so every attempt needs a setting of its own.
const settings: readonly string[] =
  'accept_redirects accept_source_route arp_accept arp_announce arp_filter arp_ignore arp_notify bootp_relay disable_policy disable_xfrm drop_gratuitous_arp drop_unicast_in_l2_multicast force_igmp_version forwarding igmpv2_unsolicited_report_interval igmpv3_unsolicited_report_interval ignore_routes_with_linkdown log_martians medium_id promote_secondaries proxy_arp proxy_arp_pvlan route_localnet rp_filter secure_redirects send_redirects shared_media src_valid_mark tag'.split(
    ' ',
  )
let setting = 0

function publicKey(): string {
  const type = Buffer.from('ssh-ed25519')
  const length = (bytes: number) => Buffer.from([0, 0, 0, bytes])
  return Buffer.concat([length(type.length), type, length(32), randomBytes(32)]).toString('base64')
}

/** What the things are called that are tried. */
export interface Names {
  /** Where files are put. */
  readonly folder: string
  /** An image with a shell, `sleep` and `true`. */
  readonly image: string
  /** What names begin with. */
  readonly prefix: string
}

/** What is tried of each kind. A composite is tried by its own fields. */
export function prey({ folder, image }: Names): Readonly<Record<Kind, readonly Prey[]>> {
  return {
    AuthorizedKey: [
      {
        spec: () => ({
          user: 'admin',
          key: `ssh-ed25519 ${publicKey()} ada@laptop`,
          options: ['restrict', 'command="/bin/true"'],
        }),
      },
    ],
    Container: [
      {
        spec: (id) => ({
          name: id,
          image,
          command: ['-c', 'exec sleep 1000', 'x'],
          entrypoint: ['/bin/sh'],
          env: { TEXT: 'x' },
          labels: { text: 'x' },
          health: { command: ['true', 'x'], intervalMs: 1000 },
          workingDir: '/tmp',
          hostname: id,
          user: '0',
          logging: { driver: 'json-file', options: { tag: 'x' } },
          mounts: [{ type: 'tmpfs', target: '/memory' }],
          networks: 'none',
          stopSignal: 'SIGKILL',
          stableForMs: 1,
        }),
        // And what has to exist for the container to run.
        code: ['command.0', 'command.1', 'health.command.0'],
        records: ['env', 'labels', 'logging.options'],
        together: [
          'command.2',
          'env.TEXT',
          'labels.text',
          'health.command.1',
          'logging.options.tag',
          'workingDir',
          'mounts.0.target',
        ],
      },
      {
        spec: (id) => ({ name: id, image, mounts: [{ type: 'volume', volume: id, target: '/volume' }] }),
        code: ['name', 'image', 'mounts.0.target'],
      },
    ],
    ContainerImage: [
      {
        // Where nobody listens: what is asked of a registry never gets there.
        spec: (id) => ({ name: `127.0.0.1:1/${id}:1`, login: { username: 'ada', password: 'x' } }),
        together: ['login.username', 'login.password'],
      },
    ],
    ContainerNetwork: [
      {
        spec: (id) => ({
          name: id,
          driver: 'bridge',
          labels: { text: 'x' },
          options: { text: 'x' },
          internal: true,
        }),
        records: ['labels', 'options'],
        together: ['labels.text', 'options.text'],
      },
    ],
    ContainerVolume: [
      {
        spec: (id) => ({ name: id, driver: 'local', labels: { text: 'x' } }),
        records: ['labels', 'options'],
      },
    ],
    Directory: [
      {
        spec: (id) => ({
          path: `${folder}/${id}`,
          owner: 'root',
          group: 'root',
          mode: '0755',
          purge: true,
          exclude: ['kept'],
        }),
      },
    ],
    File: [
      {
        spec: (id) => ({
          path: `${folder}/${id}`,
          content: 'text',
          owner: 'root',
          group: 'root',
          mode: '0644',
          validate: ['true', '{}', 'x'],
        }),
      },
    ],
    Group: [{ spec: (id) => ({ name: id, members: ['admin'] }) }],
    Hostname: [{ spec: () => ({ name: 'kiosk', pretty: 'Kiosk' }), values: 'worst' }],
    Package: [{ spec: (id) => ({ name: id, version: '1.0' }) }],
    ShellJob: [
      {
        spec: (id) => ({
          name: id,
          argv: ['true', 'x'],
          cwd: '/',
          env: { TEXT: 'x' },
          stdin: 'x',
          undo: ['true', 'x'],
        }),
        records: ['env'],
        // A program that is not there cannot take anything back.
        code: ['undo.0'],
      },
      { spec: (id) => ({ name: id, argv: ['true'], unless: ['true', 'x'] }) },
      {
        spec: (id) => ({
          name: id,
          argv: ['touch', `${folder}/${id}`],
          creates: `${folder}/${id}`,
          undo: ['rm', '-f', `${folder}/${id}`],
        }),
        // Other paths than the one that it says would be what was asked for.
        code: ['name', 'argv.0', 'argv.1', 'undo.0', 'undo.1', 'undo.2'],
      },
    ],
    StaticSite: [
      {
        spec: (id) => ({
          root: `${folder}/${id}`,
          pages: { 'index.html': 'text' },
          owner: 'root',
          group: 'root',
          mode: '0644',
        }),
        records: ['pages'],
      },
    ],
    Symlink: [
      { spec: (id) => ({ path: `${folder}/${id}`, target: 'nowhere', owner: 'root', group: 'root' }) },
    ],
    Sysctl: [
      {
        spec: () => {
          const card = setting < settings.length ? 'lo' : 'eth0'
          return { key: `net.ipv4.conf.${card}.${settings[setting++ % settings.length]}`, value: '0' }
        },
      },
    ],
    SystemdService: [
      {
        spec: (id) => ({
          name: id,
          unit: {
            Unit: { Description: 'x' },
            Service: { ExecStart: '/bin/sleep 1000', Environment: 'TEXT=x', SyslogIdentifier: 'x' },
          },
          dropIns: { '10-more': '[Service]\nEnvironment=MORE=x' },
        }),
        records: ['dropIns', 'unit.Service', 'unit.Install'],
      },
      { spec: (id) => ({ name: id, unit: '[Service]\nExecStart=/bin/sleep 1000\n# x' }) },
    ],
    SystemdTimer: [
      {
        spec: (id) => ({
          name: id,
          onCalendar: 'daily',
          randomizedDelaySec: '1min',
          description: 'x',
          service: 'dbus.service',
        }),
      },
    ],
    Timezone: [{ spec: () => ({ zone: 'Etc/UTC' }), values: 'options' }],
    User: [
      {
        spec: (id) => ({
          name: id,
          comment: 'x',
          shell: '/bin/sh',
          home: `/home/${id}`,
          group: 'users',
          groups: ['mail'],
          password: 'locked',
          createHome: true,
          removeHome: true,
        }),
      },
    ],
  }
}
