import { expect, test } from 'vitest'
import { assignments, inOrder, normalValue, pathOfKey, textOfKey } from './sysctl-files.ts'

const at = (text: string) => Object.fromEntries(assignments([{ path: '/f', text }]))

test('a dot within a name is written as a slash, and is none for the kernel', () => {
  expect(pathOfKey('net.ipv4.conf.eth0/1.forwarding')).toBe('/proc/sys/net/ipv4/conf/eth0.1/forwarding')
})

test.each([
  ['1\n', '1'],
  ['4096\t131072\t6291456\n', '4096 131072 6291456'],
  ['  a   b ', 'a b'],
  ['', ''],
])('the kernel shows %j, which is %j', (shown, value) => {
  expect(normalValue(shown)).toBe(value)
})

test('lines of every form that the manual has', () => {
  expect(
    at(
      [
        '# net.ipv4.a = 1',
        '; net.ipv4.a = 1',
        'net.ipv4.b=1',
        '-net/ipv4/c = 2',
        'net/ipv4/conf/eth0.1/d = 3',
        'net.ipv4.conf.eth0/1.e\t=\t4  5',
        'net.ipv4.conf.*.rp_filter = 6',
        '-net.ipv4.conf.eth0.rp_filter',
        'kernel.core_pattern = |/bin/x %P = y',
        'net.ipv4.b = 7',
        'nonsense',
        ' = 8',
      ].join('\n'),
    ),
  ).toEqual({
    'net.ipv4.b': { value: '7', at: '/f:10' },
    'net.ipv4.c': { value: '2', at: '/f:4' },
    'net.ipv4.conf.eth0/1.d': { value: '3', at: '/f:5' },
    'net.ipv4.conf.eth0/1.e': { value: '4 5', at: '/f:6' },
    'kernel.core_pattern': { value: '|/bin/x %P = y', at: '/f:9' },
  })
})

test('what is written is what is read', () => {
  expect(at(textOfKey('net.ipv4.conf.eth0/1.forwarding', '1 2'))).toEqual({
    'net.ipv4.conf.eth0/1.forwarding': { value: '1 2', at: '/f:2' },
  })
})

test('files are read by name wherever they are, and hide others of their name', () => {
  expect(
    inOrder(
      [
        '/usr/lib/sysctl.d/50-default.conf',
        '/usr/lib/sysctl.d/99-last.conf',
        '/run/sysctl.d/50-default.conf',
        '/etc/sysctl.d/60-own.conf',
        '/etc/sysctl.d/README',
        '/etc/sysctl.d/99-last.conf',
        '/usr/local/lib/sysctl.d/10-first.conf',
      ],
      '/etc/sysctl.conf',
    ),
  ).toEqual([
    '/usr/local/lib/sysctl.d/10-first.conf',
    '/run/sysctl.d/50-default.conf',
    '/etc/sysctl.d/60-own.conf',
    '/etc/sysctl.d/99-last.conf',
    '/etc/sysctl.conf',
  ])
})
