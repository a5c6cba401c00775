import { expect, test } from 'vitest'
import { sysctlFile, sysctlsBefore } from './sysctl-place.ts'

test.each([
  ['vm.swappiness', [], '90-harmony-vm.swappiness.conf'],
  ['net.ipv4.ip_forward', [], '80-harmony-net.ipv4.ip_forward.conf'],
  [
    'net.ipv4.conf.eth0/1.forwarding',
    ['net.ipv4.ip_forward', 'net.ipv4.conf.all.forwarding', 'net.ipv4.conf.default.forwarding'],
    '90-harmony-net.ipv4.conf.eth0~1.forwarding.conf',
  ],
  [
    'net.ipv4.conf.default.rp_filter',
    ['net.ipv4.ip_forward', 'net.ipv4.conf.all.rp_filter'],
    '85-harmony-net.ipv4.conf.default.rp_filter.conf',
  ],
  ['net.ipv6.conf.all.forwarding', [], '80-harmony-net.ipv6.conf.all.forwarding.conf'],
  [
    'net.ipv6.conf.a0.accept_ra',
    ['net.ipv6.conf.all.forwarding', 'net.ipv6.conf.all.accept_ra', 'net.ipv6.conf.default.accept_ra'],
    '90-harmony-net.ipv6.conf.a0.accept_ra.conf',
  ],
])('%s comes after %j, now and at the next start', (key, before, file) => {
  expect(sysctlsBefore(key)).toEqual(before)
  expect(sysctlFile(key)).toBe(`/etc/sysctl.d/${file}`)
  for (const each of before) expect(sysctlFile(each) < sysctlFile(key)).toBe(true)
})
