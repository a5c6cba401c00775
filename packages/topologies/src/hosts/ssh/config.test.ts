import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { describe, expect, test } from 'vitest'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { opensshClient, sshSays } from '../../../test/openssh.ts'
import { root, scratch } from '../../../test/scratch.ts'
import { type SshContext, type SshSettings, sshSettings } from './config.ts'

const context: SshContext = { home: '/home/ada', env: {}, user: 'ada' }

/** Settings from texts in the place of files. */
function settings(
  destination: string,
  files: Readonly<Record<string, string>> | string,
  more: Partial<SshContext> = {},
): SshSettings {
  const known = typeof files === 'string' ? { '/home/ada/.ssh/config': files } : files
  return sshSettings(destination, {
    ...context,
    readFile: (path) => known[path],
    ...more,
  })
}

describe('without any configuration', () => {
  test.each([
    { destination: 'kiosk', is: { host: 'kiosk', port: 22, user: 'ada' } },
    { destination: 'pi@kiosk.local', is: { host: 'kiosk.local', port: 22, user: 'pi' } },
    { destination: 'kiosk:2222', is: { host: 'kiosk', port: 2222, user: 'ada' } },
    { destination: 'ssh://pi@KIOSK:2222/', is: { name: 'KIOSK', host: 'kiosk', port: 2222, user: 'pi' } },
    { destination: '[::1]:2222', is: { host: '::1', port: 2222, user: 'ada' } },
    { destination: 'pi@fe80::1%eth0', is: { host: 'fe80::1%eth0', port: 22, user: 'pi' } },
  ])('$destination', ({ destination, is }) => {
    expect(settings(destination, {})).toMatchObject(is)
  })

  test('everything has the default of OpenSSH', () => {
    expect(settings('kiosk', {})).toEqual({
      name: 'kiosk',
      host: 'kiosk',
      port: 22,
      user: 'ada',
      via: undefined,
      addressFamily: 'any',
      bindAddress: undefined,
      connectTimeoutMs: undefined,
      keepAlive: { intervalMs: 0, countMax: 3 },
      hostKey: {
        alias: undefined,
        userFiles: ['/home/ada/.ssh/known_hosts', '/home/ada/.ssh/known_hosts2'],
        globalFiles: ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
        strict: 'ask',
        hash: false,
        checkAddress: false,
      },
      login: {
        agent: undefined,
        identityFiles: 'default',
        identitiesOnly: false,
        publicKey: true,
        password: true,
        keyboardInteractive: true,
        batch: false,
      },
      algorithms: {},
    })
  })
})

test('the own configuration counts before that of the system', () => {
  const files = {
    '/home/ada/.ssh/config': 'Host kiosk\n User pi\n IdentityFile ~/.ssh/own\nInclude more',
    '/home/ada/.ssh/more': 'ConnectTimeout 1',
    '/etc/ssh/ssh_config': 'User root\nIdentityFile /etc/key\nConnectTimeout 9\nInclude drop-in',
    '/etc/ssh/drop-in': 'HashKnownHosts yes',
  }
  expect(settings('kiosk', files)).toMatchObject({
    user: 'pi',
    connectTimeoutMs: 1000,
    hostKey: { hash: true },
    login: { identityFiles: ['/home/ada/.ssh/own', '/etc/key'] },
  })
  expect(settings('kiosk', files, { configFile: 'none' }).user).toBe('ada')
})

describe('the way over other hosts', () => {
  const names = ({ via }: SshSettings): string[] =>
    via ? [...names(via), `${via.user}@${via.host}:${via.port}`] : []

  test.each([
    { what: 'one', config: 'Host a\n ProxyJump pi@b:23', way: ['pi@b:23'] },
    { what: 'as URI', config: 'Host a\n ProxyJump ssh://pi@b:23', way: ['pi@b:23'] },
    { what: 'none', config: 'Host a\n ProxyJump none\nHost *\n ProxyJump b', way: [] },
    {
      what: 'each with its own settings',
      config: 'Host a\n ProxyJump b\n User ua\nHost b\n HostName b.lan\n User ub\n Port 24',
      way: ['ub@b.lan:24'],
    },
    {
      what: 'several, of which only the first goes its own way',
      config: 'Host a\n ProxyJump b,c\nHost b\n ProxyJump first\nHost c\n ProxyJump never\n User uc',
      way: ['ada@first:22', 'ada@b:22', 'uc@c:22'],
    },
    {
      what: 'one after another',
      config: 'Host a\n ProxyJump b\nHost b\n ProxyJump c\nHost c\n ProxyJump d',
      way: ['ada@d:22', 'ada@c:22', 'ada@b:22'],
    },
    { what: 'tokens', config: 'Host a\n ProxyJump 100-%n-%h,j-%p', way: ['ada@100-a-a:22', 'ada@j-22:22'] },
    {
      what: 'a percent sign, expanded once',
      config: 'Host a\n ProxyJump [fe80::1%%eth0],c',
      way: ['ada@fe80::1%eth0:22', 'ada@c:22'],
    },
    {
      what: 'instead of what a later one says by command',
      config: 'Host a\n ProxyJump b,c\nHost c\n ProxyCommand nc %h %p',
      way: ['ada@b:22', 'ada@c:22'],
    },
  ])('$what', ({ config, way }) => {
    expect(names(settings('a', config))).toEqual(way)
  })

  test.each([
    { what: 'itself', config: 'ProxyJump b', line: 1, self: 'b' },
    { what: 'each other', config: 'Host a\n ProxyJump b\nHost b\n ProxyJump a', line: 4, self: 'a' },
  ])('that leads through $what is refused', ({ config, line, self }) => {
    expect(() => settings('a', config)).toThrow(
      `/home/ada/.ssh/config:${line}: the way to ada@${self}:22 leads through itself`,
    )
  })
})

describe('the agent', () => {
  const env = { SSH_AUTH_SOCK: '/run/usual', OTHER: '/run/other', KEYS: '/run' }
  test.each([
    { config: '', agent: '/run/usual' },
    { config: 'IdentityAgent none', agent: undefined },
    { config: 'IdentityAgent SSH_AUTH_SOCK', agent: '/run/usual' },
    { config: 'IdentityAgent $OTHER', agent: '/run/other' },
    { config: 'IdentityAgent $MISSING', agent: undefined },
    { config: 'IdentityAgent ~/agent-%r', agent: '/home/ada/agent-ada' },
    { config: 'IdentityAgent ${KEYS}/agent', agent: '/run/agent' },
  ])('of "$config" is $agent', ({ config, agent }) => {
    expect(settings('kiosk', config, { env }).login.agent).toBe(agent)
  })
})

test('how to log in can be narrowed', () => {
  const { login } = settings(
    'kiosk',
    'PreferredAuthentications publickey,password\nPasswordAuthentication no',
  )
  expect(login).toMatchObject({ publicKey: true, password: false, keyboardInteractive: false })
})

test('the address of a host with an alias is not checked: the key goes with the alias', () => {
  const { hostKey } = settings('kiosk', 'CheckHostIP yes\nHostKeyAlias lab')
  expect(hostKey).toMatchObject({ alias: 'lab', checkAddress: false })
})

test('algorithms are handed on as written', () => {
  const { algorithms } = settings('kiosk', 'HostKeyAlgorithms +ssh-rsa\nCiphers aes256-ctr,aes128-ctr')
  expect(algorithms).toEqual({ hostKey: '+ssh-rsa', cipher: 'aes256-ctr,aes128-ctr' })
})

describe('refused, with the place, is', () => {
  const config = '/home/ada/.ssh/config'
  test.each([
    { text: 'Host k*\n ProxyCommand nc %h %p', says: ':2: ProxyCommand is not supported', code: 'refused' },
    { text: 'CanonicalizeHostname yes', says: ':1: CanonicalizeHostname is not', code: 'refused' },
    { text: 'KnownHostsCommand /bin/x %H', says: ':1: KnownHostsCommand is not', code: 'refused' },
    { text: 'RevokedHostKeys /etc/revoked', says: ':1: RevokedHostKeys is not', code: 'refused' },
    { text: 'BindInterface eth0', says: ':1: BindInterface is not', code: 'refused' },
    { text: '\nMatch exec "true"\nPort 1', says: ':2: Match exec is not supported', code: 'refused' },
    { text: 'Match !exec true host kiosk', says: ':1: Match !exec is not', code: 'refused' },
    { text: 'Match localnetwork 10.0.0.0/8', says: ':1: Match localnetwork', code: 'refused' },
    { text: 'Match', says: ':1: Match has no criteria', code: 'invalid-value' },
    { text: 'Match host', says: ':1: Match host says nothing', code: 'invalid-value' },
    { text: 'Match colour blue', says: ':1: Match does not know colour', code: 'invalid-value' },
    { text: 'Match user x all', says: ':1: Match all stands alone', code: 'invalid-value' },
    { text: 'Port 70000', says: ':1: "70000" is not a port', code: 'invalid-value' },
    { text: 'Port 22 23', says: ':1: Port has more than one value', code: 'invalid-value' },
    { text: 'User', says: ':1: User has no value', code: 'invalid-value' },
    { text: 'User "pi', says: ':1: the quote " is not closed', code: 'invalid-value' },
    { text: 'HostName %r.lan', says: ':1: "%r.lan": "%r" stands for nothing', code: 'invalid-value' },
    { text: 'HostName -oProxy', says: ':1: "-oProxy" is not the name', code: 'invalid-value' },
    { text: 'IdentityFile ${NOTHING}/x', says: ':1: the variable NOTHING', code: 'invalid-value' },
    { text: 'IdentityFile ~root/x', says: ':1: ~root/x: the home of another', code: 'invalid-value' },
    { text: 'StrictHostKeyChecking maybe', says: ':1: StrictHostKeyChecking is', code: 'invalid-value' },
    { text: 'ConnectTimeout soon', says: ':1: ConnectTimeout: "soon"', code: 'invalid-value' },
    { text: 'ProxyJump a:b:c', says: ':1: "a:b:c" does not name a host', code: 'invalid-value' },
    { text: 'Include config', says: ':1: too many files include each other', code: 'invalid-value' },
    { text: 'Include ${HOME}/x', says: ':1: ${HOME}/x: Include with variables', code: 'invalid-value' },
    { text: 'User %u', says: ':1: User: %u: tokens and variables', code: 'invalid-value' },
    { text: 'IdentityFile ${constructor}/x', says: ':1: the variable constructor', code: 'invalid-value' },
    { text: '= 3', says: ':1: "= 3" is not an option', code: 'invalid-value' },
  ])('$text', ({ text, says, code }) => {
    const asked = () => settings('kiosk', text)
    expect(asked).toThrow(config + says)
    expect(asked).toThrow(expect.objectContaining({ code, hint: expect.stringMatching(/./) }))
  })

  test('a path of ~ in the files of the system', () => {
    const asked = () => settings('kiosk', { '/etc/ssh/ssh_config': 'Include ~/x' })
    expect(asked).toThrow('/etc/ssh/ssh_config:1: ~/x')
  })
})

test.each([
  'Host other\n ProxyCommand nc %h %p\n Port 70000',
  'ProxyCommand none',
  'Host kiosk\n ProxyJump none\nHost *\n ProxyCommand nc %h %p',
  'Match exec "true" host other\n Port 1',
  'CanonicalizeHostname no\nKnownHostsCommand none\nRevokedHostKeys none',
  'Port 22\nPort 70000',
  'Constructor of nothing\nHost other\n User %u\nHost *\nNobodyKnowsThis at all\nGSSAPIAuthentication yes',
])('what does not matter for this host is let be: %j', (config) => {
  expect(settings('kiosk', config)).toMatchObject({ host: 'kiosk', port: 22, via: undefined })
})

describe('a configuration', () => {
  const read = (home: string) => sshSettings('kiosk', { ...context, home })

  test('that others may write is refused', () => {
    const home = scratch()
    mkdirSync(`${home}/.ssh`)
    writeFileSync(`${home}/.ssh/config`, 'User pi')
    chmodSync(`${home}/.ssh/config`, 0o646)
    expect(() => read(home)).toThrow(
      expect.objectContaining({ code: 'refused', hint: `chmod go-w ${home}/.ssh/config` }),
    )
    chmodSync(`${home}/.ssh/config`, 0o644)
    expect(read(home).user).toBe('pi')
    writeFileSync(`${home}/.ssh/config`, 'Include more*')
    writeFileSync(`${home}/.ssh/more1`, 'User pi')
    chmodSync(`${home}/.ssh/more1`, 0o646)
    expect(() => read(home)).toThrow(`${home}/.ssh/more1 can be written by others`)
  })

  describeWith(root, 'that a group may write', () => {
    test('is refused, unless the group is that of the user alone', () => {
      const home = scratch()
      mkdirSync(`${home}/.ssh`)
      writeFileSync(`${home}/.ssh/config`, 'User pi')
      chmodSync(`${home}/.ssh/config`, 0o664)
      expect(read(home).user).toBe('pi')
      chownSync(`${home}/.ssh/config`, 0, 100)
      expect(() => read(home)).toThrow('can be written by others')
      chmodSync(`${home}/.ssh/config`, 0o644)
      chownSync(`${home}/.ssh/config`, 65534, 65534)
      expect(() => read(home)).toThrow('belongs to another user')
    })
  })

  test('that was named and is missing is told', () => {
    expect(() => settings('kiosk', {}, { configFile: '/nowhere/config' })).toThrow(
      '/nowhere/config: there is no such SSH configuration',
    )
  })
})

/** Each is asked about with our code and with the real ssh. `HOME` stands for the home folder. */
const compared: readonly { what: string; config: string; ask: readonly string[] }[] = [
  {
    what: 'the first value wins',
    config: 'Host kiosk\n Port 2222\n User pi\nHost *\n Port 22\n User root\n HostName example.org',
    ask: ['kiosk', 'other', 'me@kiosk'],
  },
  {
    what: 'patterns',
    config:
      'Host web? !web3 db*.example.org\n Port 1\nHost !a !b\n Port 2\nHost !a *\n Port 3\nHost a\n Port 4\nHost A\n Port 5',
    ask: ['web', 'web1', 'web3', 'web12', 'db.example.org', 'db1.x.example.org', 'a', 'b', 'A'],
  },
  {
    what: 'a negated pattern before and after the one that fits',
    config: 'Host kiosk !kiosk\n Port 1\nHost !kiosk kiosk\n Port 2\nHost k* !*x\n Port 3',
    ask: ['kiosk', 'kiox'],
  },
  {
    what: 'HostName with tokens, in any case',
    config: 'Host a\n HostName %h.Example.ORG\nHost b\n HostName 100%%.x\nHost c\n hostname 10.0.0.1',
    ask: ['a', 'A', 'c'],
  },
  {
    what: 'ways to write an option',
    config:
      'Port=2201\nhost kiosk\n\tUSER = pi # not the name\n\tHostKeyAlias="the alias"\n  ConnectTimeout   =  7\r\n\tServerAliveInterval\t1m30s\n\n# Host *\n#Port 7',
    ask: ['kiosk', 'other'],
  },
  {
    what: 'quotes and escapes',
    config: `User "pi"\nIdentityFile "/keys/my key"\nIdentityFile '/keys/single'\nIdentityFile /keys/a\\ b\nIdentityFile /keys/a#b\nUserKnownHostsFile "/a b" /c # d`,
    ask: ['kiosk'],
  },
  {
    what: 'identity files add up, each once',
    config:
      'IdentityFile /keys/all\nHost kiosk\n IdentityFile /keys/kiosk\n IdentityFile /keys/all\n IdentitiesOnly yes\nHost *\n IdentityFile /keys/last\n IdentitiesOnly no',
    ask: ['kiosk', 'other'],
  },
  { what: 'identity files turned off', config: 'Host a\n IdentityFile none\nHost b', ask: ['a'] },
  {
    what: 'Match',
    config:
      'Host alias\n HostName real.example.org\nMatch host *.example.org\n User matched\nMatch host alias\n Port 1\nMatch originalhost alias\n Port 2\nMatch user matched\n ConnectTimeout 3\nMatch !user matched\n ConnectTimeout 4\nMatch host REAL.*,other user matched\n ServerAliveInterval 5\nMatch all\n ServerAliveCountMax 6',
    ask: ['alias', 'other', 'pi@alias', 'x.example.org', 'matched@other', 'real.example.com'],
  },
  {
    what: 'Match with negated entries in a list',
    config:
      'Match host *.lan,!kiosk.lan\n Port 1\nMatch host !kiosk.lan\n Port 2\nMatch !host other.lan\n Port 3',
    ask: ['kiosk.lan', 'web.lan', 'other.lan', 'x'],
  },
  {
    what: 'Match final, a second pass with the name it led to',
    config:
      'Match final host *.example.org\n User late\nHost a\n HostName a.example.org\nHost a.example.org\n Port 9\nMatch canonical\n ConnectTimeout 8',
    ask: ['a', 'b', 'A'],
  },
  {
    what: 'Match localuser',
    config: 'Match localuser LOCALUSER\n Port 1\nMatch localuser nobody-like-this\n User x',
    ask: ['kiosk'],
  },
  {
    what: 'Match exec that cannot matter',
    config: 'Match host other exec "false"\n Port 1\nMatch host kiosk\n Port 2',
    ask: ['kiosk'],
  },
  {
    what: 'jumps',
    config:
      'Host a\n ProxyJump pi@bastion:2222,second\nHost b\n ProxyJump none\nHost c\n ProxyJump NONE\nHost x\n ProxyJump everybody',
    ask: ['a', 'b', 'x'],
  },
  {
    what: 'whichever of ProxyJump and ProxyCommand comes first counts',
    config:
      'Host a\n ProxyJump bastion\nHost b\n ProxyCommand none\nHost a\n ProxyCommand nc %h %p\nHost b\n ProxyJump late',
    ask: ['a', 'b'],
  },
  {
    what: 'known_hosts files',
    config:
      'Host a\n UserKnownHostsFile ~/.ssh/a /b\n GlobalKnownHostsFile /c /d\nHost b\n UserKnownHostsFile none\n GlobalKnownHostsFile none\nHost c\n UserKnownHostsFile /dev/null',
    ask: ['a', 'b', 'c', 'd'],
  },
  ...['yes', 'no', 'ask', 'off', 'accept-new', 'true', 'false', 'YES'].map((value) => ({
    what: `StrictHostKeyChecking ${value}`,
    config: `StrictHostKeyChecking ${value}`,
    ask: ['kiosk'],
  })),
  {
    what: 'switches and times',
    config:
      'HashKnownHosts yes\nCheckHostIP yes\nBatchMode yes\nServerAliveInterval 15\nServerAliveCountMax 9\nConnectTimeout 1h2m\nPasswordAuthentication no\nPubkeyAuthentication no\nKbdInteractiveAuthentication no\nAddressFamily inet6\nBindAddress 10.1.1.1\nIdentityAgent /run/agent',
    ask: ['kiosk'],
  },
  {
    what: 'other spellings',
    config:
      'ChallengeResponseAuthentication no\nConnectTimeout none\nIdentityAgent none\nServerAliveInterval 0',
    ask: ['kiosk'],
  },
  {
    what: 'options that change nothing here',
    config:
      'ForwardAgent yes\nSendEnv LANG LC_*\nControlMaster auto\nCompression yes\nLogLevel DEBUG\nRequestTTY yes',
    ask: ['kiosk'],
  },
]

describeWith(opensshClient, 'the real ssh -G says the same', () => {
  const local: SshContext = { home: homedir(), env: {}, user: userInfo().username }
  test.each(compared.flatMap(({ ask, ...row }) => ask.map((destination) => ({ ...row, destination }))))(
    'about $what: $destination',
    ({ config, destination }) => {
      const configFile = `${scratch()}/config`
      writeFileSync(configFile, config.replaceAll('LOCALUSER', local.user))
      const said = sshSays(configFile, destination)
      expect(asSshSays(sshSettings(destination, { ...local, configFile }), config)).toEqual(
        Object.fromEntries(
          comparedOptions.map((keyword) => [keyword, plain(said.get(keyword)?.join('\n'), local.home)]),
        ),
      )
    },
  )

  test('about a destination as URI', () => {
    const configFile = `${scratch()}/config`
    writeFileSync(configFile, 'Port 9\nUser x\n')
    const said = sshSays(configFile, 'ssh://pi@kiosk:2222')
    expect(sshSettings('ssh://pi@kiosk:2222', { ...local, configFile })).toMatchObject({
      host: said.get('hostname')?.[0],
      user: said.get('user')?.[0],
      port: Number(said.get('port')?.[0]),
    })
  })

  test('about included files, nested and in sections', () => {
    const dir = scratch()
    const configFile = `${dir}/config`
    writeFileSync(
      configFile,
      `Host kiosk\n Include ${dir}/conf.d/*.conf ${dir}/none\n Port 9\nHost other\n Include ${dir}/other\nHost *\n ConnectTimeout 9\n`,
    )
    mkdirSync(`${dir}/conf.d/folder.conf`, { recursive: true })
    writeFileSync(`${dir}/conf.d/20-b.conf`, 'Port 20\nUser b\nConnectTimeout 20\n')
    writeFileSync(`${dir}/conf.d/10-a.conf`, `Host nobody\n User a\nHost kiosk\n ConnectTimeout 10\n`)
    writeFileSync(`${dir}/conf.d/.hidden.conf`, 'User hidden\n')
    writeFileSync(`${dir}/conf.d/30.txt`, 'User text\n')
    writeFileSync(`${dir}/other`, `Include ${dir}/nested\nUser other\n`)
    writeFileSync(`${dir}/nested`, 'Match user *\n Port 77\n')
    for (const destination of ['kiosk', 'other', 'else']) {
      const said = sshSays(configFile, destination)
      const ours = asSshSays(sshSettings(destination, { ...local, configFile }), '')
      for (const keyword of ['user', 'port', 'connecttimeout'])
        expect(ours[keyword]).toBe(said.get(keyword)?.[0])
    }
  })
})

describeWith(opensshClient, 'the real ssh looks for identities where we do', () => {
  test('with every token, tilde and variables', () => {
    const dir = scratch()
    const local = { home: homedir(), env: { ...process.env, KEYS: '/keys%h' }, user: userInfo().username }
    const configFile = `${dir}/config`
    writeFileSync(
      configFile,
      'Host KIOSK\n HostName %h.Example.org\n HostKeyAlias known\n Port 2222\nHost *\nIdentityFile ~/.ssh/%h_%r_%n_%p_%u_%%_%k_%i_%L_%l\nIdentityFile ${KEYS}/%d\nIdentityFile none\nIdentityFile relative\n',
    )
    for (const destination of ['pi@KIOSK', 'other']) {
      const { stderr } = spawnSync('ssh', ['-v', '-F', configFile, '-o', 'ProxyCommand=true', destination], {
        encoding: 'utf8',
        env: local.env,
        input: '',
      })
      const tried = [...stderr.matchAll(/identity file (.*) type/g)].map(([, path]) => path)
      const { login } = sshSettings(destination, { ...local, configFile })
      expect(login.identityFiles).toHaveLength(3)
      expect(login.identityFiles).toEqual(tried.filter((path) => !path?.endsWith('-cert')))
    }
  })
})

const comparedOptions = [
  'user',
  'hostname',
  'port',
  'addressfamily',
  'bindaddress',
  'batchmode',
  'checkhostip',
  'hashknownhosts',
  'identitiesonly',
  'kbdinteractiveauthentication',
  'passwordauthentication',
  'pubkeyauthentication',
  'stricthostkeychecking',
  'serveralivecountmax',
  'serveraliveinterval',
  'hostkeyalias',
  'identityagent',
  'identityfile',
  'globalknownhostsfile',
  'userknownhostsfile',
  'connecttimeout',
  'proxyjump',
]

/** Our answer in the words of `ssh -G`. */
function asSshSays(ours: SshSettings, config: string): Record<string, string | undefined> {
  const yes = (on: boolean) => (on ? 'yes' : 'no')
  const { hostKey, login } = ours
  const { strict } = hostKey
  return {
    user: ours.user,
    hostname: ours.host,
    port: String(ours.port),
    addressfamily: ours.addressFamily,
    bindaddress: ours.bindAddress,
    batchmode: yes(login.batch),
    checkhostip: yes(hostKey.checkAddress),
    hashknownhosts: yes(hostKey.hash),
    identitiesonly: yes(login.identitiesOnly),
    kbdinteractiveauthentication: yes(login.keyboardInteractive),
    passwordauthentication: yes(login.password),
    pubkeyauthentication: String(login.publicKey),
    stricthostkeychecking: { yes: 'true', no: 'false', ask: 'ask', 'accept-new': 'accept-new' }[strict],
    serveralivecountmax: String(ours.keepAlive.countMax),
    serveraliveinterval: String(ours.keepAlive.intervalMs / 1000),
    hostkeyalias: hostKey.alias,
    identityagent: /IdentityAgent none/.test(config) ? 'none' : login.agent,
    identityfile: login.identityFiles === 'default' ? 'default' : login.identityFiles.join('\n') || 'none',
    globalknownhostsfile: hostKey.globalFiles.join(' ') || 'none',
    userknownhostsfile: hostKey.userFiles.join(' ') || 'none',
    connecttimeout: ours.connectTimeoutMs === undefined ? 'none' : String(ours.connectTimeoutMs / 1000),
    proxyjump: jumps(ours),
  }
}

function jumps({ via }: SshSettings): string | undefined {
  if (!via) return undefined
  const self = `${via.user === userInfo().username ? '' : `${via.user}@`}${via.name}${via.port === 22 ? '' : `:${via.port}`}`
  return via.via && via.via.name !== via.name ? `${jumps(via)},${self}` : self
}

/** What `ssh -G` prints before the home folder is put in, and of the default keys one name. */
function plain(said: string | undefined, home: string): string | undefined {
  if (said?.includes('~/.ssh/id_rsa')) return 'default'
  return said?.replaceAll('~/', `${home}/`)
}
