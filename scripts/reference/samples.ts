/** One Score of each kind, to show what it claims and what it stands on. */
import { type AnyScore, asset } from '@harmony-iac/core'
import {
  AuthorizedKey,
  Directory,
  File,
  Group,
  Hostname,
  Package,
  ShellJob,
  StaticSite,
  Symlink,
  Sysctl,
  SystemdService,
  SystemdTimer,
  Timezone,
  User,
} from '@harmony-iac/scores'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICNRAB0za22vaGXNLwGdMaAvyXzKt+LR/NPTya+70dRY ada@laptop'

/** By kind: as it is written, and the Score. */
export const samples: Readonly<Record<string, { readonly written: string; readonly score: AnyScore }>> = {
  File: sample(
    "File({ path: '/srv/site/index.html', content: asset('./index.html'), owner: 'www-data' })",
    File({ path: '/srv/site/index.html', content: asset('./index.html'), owner: 'www-data' }),
  ),
  Directory: sample(
    "Directory({ path: '/srv/site', mode: '0755', purge: true })",
    Directory({ path: '/srv/site', mode: '0755', purge: true }),
  ),
  Symlink: sample(
    "Symlink({ path: '/srv/current', target: 'site' })",
    Symlink({ path: '/srv/current', target: 'site' }),
  ),
  ShellJob: sample(
    "ShellJob({ name: 'schema', argv: ['/srv/app/migrate'], cwd: '/srv/app', creates: '/srv/app/schema.done' })",
    ShellJob({
      name: 'schema',
      argv: ['/srv/app/migrate'],
      cwd: '/srv/app',
      creates: '/srv/app/schema.done',
    }),
  ),
  Group: sample(
    "Group({ name: 'app', gid: 700, members: ['ada'] })",
    Group({ name: 'app', gid: 700, members: ['ada'] }),
  ),
  User: sample(
    "User({ name: 'ada', uid: 2000, groups: ['docker'], shell: '/bin/bash', password: 'locked' })",
    User({ name: 'ada', uid: 2000, groups: ['docker'], shell: '/bin/bash', password: 'locked' }),
  ),
  AuthorizedKey: sample(
    "AuthorizedKey({ user: 'ada', key: 'ssh-ed25519 AAAA… ada@laptop', options: ['no-port-forwarding'] })",
    AuthorizedKey({ user: 'ada', key, options: ['no-port-forwarding'] }),
  ),
  Package: sample(
    "Package({ name: 'nginx', version: '1.22.1-9+deb12u1', hold: true })",
    Package({ name: 'nginx', version: '1.22.1-9+deb12u1', hold: true }),
  ),
  SystemdService: sample(
    "SystemdService({ name: 'nginx', enabled: true, active: true, dropIns: { limits: '[Service]\\nLimitNOFILE=65536\\n' } })",
    SystemdService({
      name: 'nginx',
      enabled: true,
      active: true,
      dropIns: { limits: '[Service]\nLimitNOFILE=65536\n' },
    }),
  ),
  SystemdTimer: sample(
    "SystemdTimer({ name: 'backup', onCalendar: 'daily', persistent: true, enabled: true, active: true })",
    SystemdTimer({ name: 'backup', onCalendar: 'daily', persistent: true, enabled: true, active: true }),
  ),
  Hostname: sample(
    "Hostname({ name: 'kiosk-7', pretty: 'Kiosk in the lobby' })",
    Hostname({ name: 'kiosk-7', pretty: 'Kiosk in the lobby' }),
  ),
  Timezone: sample("Timezone({ zone: 'Europe/Berlin' })", Timezone({ zone: 'Europe/Berlin' })),
  Sysctl: sample(
    "Sysctl({ key: 'net.ipv4.ip_forward', value: 1 })",
    Sysctl({ key: 'net.ipv4.ip_forward', value: 1 }),
  ),
  StaticSite: sample(
    "StaticSite({ root: '/srv/site', pages: { 'index.html': '…', 'blog/first.html': '…' } })",
    StaticSite({ root: '/srv/site', pages: { 'index.html': '…', 'blog/first.html': '…' } }),
  ),
}

function sample(written: string, score: AnyScore) {
  return { written, score }
}
