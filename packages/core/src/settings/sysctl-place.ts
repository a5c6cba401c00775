/** Where a setting of the kernel is kept for the next start, and which settings change others. */

/**
 * The file of one key. One for each, so that no two Scores write the same file and a kill leaves each either there or
 * not. The manual recommends numbers from 60 to 90 for administrators; what changes others has a lower one. A tilde,
 * which no key has, stands for the slash.
 */
export function sysctlFile(key: string): string {
  return `/etc/sysctl.d/${rank(key)}-harmony-${key.replaceAll('/', '~')}.conf`
}

/**
 * Keys whose change sets this one too: the kernel turns all interfaces into those of a router when it is told to
 * forward, and what is set for all of them is set for each (ip-sysctl.rst). They have to be first.
 */
export function sysctlsBefore(key: string): readonly string[] {
  const [, family, name, setting] = /^net\.(ipv[46])\.conf\.([^.]+)\.(.+)$/.exec(key) ?? []
  if (family === undefined || name === undefined) return []
  const forward = family === 'ipv4' ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding'
  const all = `net.${family}.conf.all.${setting}`
  const general =
    name === 'all' ? [] : [all, ...(name === 'default' ? [] : [`net.${family}.conf.default.${setting}`])]
  return [...new Set([forward, ...general])].filter((each) => each !== key)
}

function rank(key: string): number {
  if (key === 'net.ipv4.ip_forward' || key === 'net.ipv6.conf.all.forwarding') return 80
  // `all` before `default`: the names say so themselves.
  return /^net\.ipv[46]\.conf\.(?:all|default)\./.test(key) ? 85 : 90
}
