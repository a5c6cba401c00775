/** Projects whose hosts are reached over SSH. */
import type { LinuxHost } from '../../../scripts/testing/linux-host.ts'
import { makeProject, type Project } from './project.ts'

/** How a host is reached. */
export interface Place {
  /** Default root. */
  readonly user?: string
  /** Default the host's own. */
  readonly port?: number
  /** More lines of its section in the SSH configuration. */
  readonly lines?: readonly string[]
}

/**
 * A project that knows its hosts by the names in an SSH configuration of its own: `at('kiosk')` is one of them, with all
 * that a Linux machine offers; `at('kiosk', { sudo: true })` as root.
 */
export function projectOn(host: LinuxHost, places: Readonly<Record<string, Place>>, source: string): Project {
  const project = makeProject()
  const sections = Object.entries(places).map(([name, { user = 'root', port = host.port, lines = [] }]) =>
    [
      `Host ${name}`,
      'HostName 127.0.0.1',
      `Port ${port}`,
      `User ${user}`,
      `IdentityFile ${host.keyFile}`,
      `UserKnownHostsFile ${project.folder}/known_hosts`,
      `HostKeyAlias ${name}`,
      ...lines,
      '',
    ].join('\n'),
  )
  const key = host.hostKey.split(' ').slice(1).join(' ')
  project.write({
    ssh_config: sections.join('\n'),
    known_hosts: Object.keys(places)
      .map((name) => `${name} ${key}\n`)
      .join(''),
  })
  project.source(`import { PiTopology, ssh, type SshOptions } from '@harmony-iac/topologies'
const at = (name: string, options: SshOptions = {}) => new PiTopology({ host: ssh(name, { configFile: import.meta.dirname + '/ssh_config', ...options }) })
${source}`)
  return project
}
