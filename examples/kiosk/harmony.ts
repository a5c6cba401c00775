/**
 * A kiosk: a web server with a site of ours, a player in a container behind it, and somebody who looks after it. Say where
 * it is: `KIOSK=pi@kiosk.local harmony apply`.
 */
import { defineProject, deploy } from '@harmony-iac/core'
import {
  AuthorizedKey,
  Container,
  ContainerNetwork,
  Directory,
  File,
  Group,
  Package,
  SystemdService,
  User,
} from '@harmony-iac/scores'
import { PiTopology, ssh } from '@harmony-iac/topologies'

const kiosk = new PiTopology({
  name: 'kiosk',
  host: ssh(process.env.KIOSK ?? 'pi@kiosk.local', { sudo: true }),
})

/** Who looks after it, and may log in with this key. */
const keeper = [
  Group({ name: 'keepers' }),
  User({ name: 'keeper', groups: ['keepers'], shell: '/bin/bash', createHome: true, removeHome: true }),
  AuthorizedKey({
    user: 'keeper',
    key:
      process.env.KEEPER_KEY ??
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICNRAB0za22vaGXNLwGdMaAvyXzKt+LR/NPTya+70dRY keeper@office',
  }),
]

/** What it plays: listens on the kiosk itself only, and can change nothing. */
const player = [
  ContainerNetwork({ name: 'kiosk' }),
  Container({
    name: 'player',
    image: 'busybox:1.36',
    command: ['sh', '-c', 'echo "Now playing: $FILM" >/tmp/index.html && exec httpd -f -p 8000 -h /tmp'],
    env: { FILM: process.env.FILM ?? 'Modern Times' },
    ports: [{ hostIp: '127.0.0.1', host: 8000, container: 8000 }],
    networks: [{ name: 'kiosk' }],
    mounts: [{ type: 'tmpfs', target: '/tmp', sizeBytes: 1024 * 1024 }],
    readOnly: true,
    capabilities: { drop: ['ALL'] },
    resources: { memory: 64 * 1024 * 1024, pids: 20 },
    restart: 'unless-stopped',
    health: { command: 'wget -q -O /dev/null http://127.0.0.1:8000/', intervalMs: 1000, retries: 10 },
  }),
]

const page = File({
  path: '/srv/kiosk/index.html',
  content: `<!doctype html>\n<title>Kiosk</title>\n<h1>${process.env.TITLE ?? 'Welcome'}</h1>\n`,
  mode: '0644',
})
const site = File({
  path: '/etc/nginx/conf.d/kiosk.conf',
  content: `server {
  listen 8080;
  root /srv/kiosk;
  location /playing { proxy_pass http://127.0.0.1:8000/; }
  add_header X-Kiosk "${process.env.TITLE ?? 'Welcome'}";
}
`,
  mode: '0644',
})

export default defineProject({
  name: 'kiosk',
  deployments: [
    deploy(kiosk, [
      keeper,
      player,
      Package({ name: 'nginx', purge: true }),
      Directory({ path: '/srv/kiosk', mode: '0755' }),
      page,
      site,
      SystemdService({ name: 'nginx', enabled: true, active: true, reloadOn: [site] }),
    ]),
  ],
})
