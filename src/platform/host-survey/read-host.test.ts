import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { describeHost } from './describe.ts';
import type { HostView } from './host-view.ts';
import { readHost } from './read-host.ts';

const SOCKETS = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4799 1 0 100 0 0 10 0
`;

const texts: Readonly<Record<string, string>> = {
  '/etc/resolv.conf': 'nameserver 127.0.0.53\nsearch example.com\n',
  '/run/systemd/resolve/resolv.conf': 'nameserver 10.45.0.53\n',
  '/etc/hosts': '10.45.16.10 edge1.example.com\n',
  '/proc/net/tcp': SOCKETS,
  '/proc/812/comm': 'web\u001b[31m\n',
  '/proc/813/comm': 'systemd-timesyn\n',
  '/proc/self/status': 'CapEff:\t0000000000000000\n',
  '/proc/sys/net/core/somaxconn': '128\n',
};

function info(address: string, cidr: string, internal = false): NetworkInterfaceInfo {
  const family = address.includes(':') ? 'IPv6' : 'IPv4';
  return { address, cidr, internal, family, mac: '', netmask: '', scopeid: 0 } as NetworkInterfaceInfo;
}

const imagined: HostView = {
  text: (path) => texts[path],
  list: (folder) =>
    folder === '/proc' ? ['812', '813', 'net'] : folder === '/proc/812/fd' ? ['0', '7'] : undefined,
  link(path) {
    if (path === '/proc/812/fd/7') return 'socket:[4711]';
    return path === '/proc/812/exe' ? '/usr/sbin/nginx (deleted)' : undefined;
  },
  run(program, parameters) {
    if (program === 'timedatectl') return { status: 0, out: 'yes\n' };
    return { status: parameters.at(-1) === 'sallyport' ? 0 : 1, out: '' };
  },
  interfaces: () => ({
    lo: [info('127.0.0.1', '127.0.0.1/8', true)],
    eth0: [info('192.0.2.10', '192.0.2.10/24'), info('fe80::1%eth0', 'fe80::1/64')],
  }),
  hostName: () => 'Edge1',
  userId: () => 1000,
  environment: (name) => (name === 'SSH_CONNECTION' ? '10.45.99.7 50122 10.45.16.10 22' : undefined),
};

test('an imagined host is read as it is', () => {
  const host = readHost(imagined);
  assert.equal(host.hostName, 'edge1');
  assert.deepEqual(host.interfaces[1]?.addresses, [{ address: '192.0.2.10', network: '192.0.2.0/24' }]);
  assert.deepEqual(host.nameservers, ['10.45.0.53'], 'those behind the local resolver');
  assert.deepEqual(host.clock, { synchronized: true, keeper: 'systemd-timesyncd' });
  assert.deepEqual(
    host.sockets?.map(({ port, owner }) => [port, owner]),
    [
      [443, { pid: 812, name: 'nginx' }],
      [80, undefined],
    ],
  );
  assert.deepEqual(host.privileges, { root: false, mayBindLowPorts: false, firstFreePort: 1024 });
  assert.equal(host.listenBacklog, 128);
  assert.equal(host.routes, undefined);
  assert.equal(host.remoteLogin, '10.45.99.7');
  assert.deepEqual(['sallyport', 'nobody-here', '--help'].map(host.hasAccount), [true, false, false]);
});

test('a host that shows nothing leaves everything unknown', () => {
  const blind: HostView = {
    text: () => undefined,
    list: () => undefined,
    link: () => undefined,
    run: () => undefined,
    interfaces: () => ({}),
    hostName: () => 'somewhere',
    userId: () => undefined,
    environment: () => undefined,
  };
  const host = readHost(blind);
  const { routes, nameservers, openFiles, sockets, ephemeralPorts } = host;
  assert.deepEqual([routes, nameservers, openFiles, sockets, ephemeralPorts], Array(5).fill(undefined));
  assert.equal(host.hasAccount('root'), undefined);
  assert.ok(describeHost(host).some(([about, found]) => about === 'clock' && found.startsWith('not known')));
});

test('this host is read, and a socket of our own is found with its owner', async (context) => {
  const server = createServer();
  context.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  const host = readHost();
  assert.ok(host.interfaces.some(({ loopback }) => loopback));
  assert.ok(host.hostName.length > 0);
  if (process.platform !== 'linux') return;
  const ours = host.sockets?.find(({ address, port }) => address === '127.0.0.1' && port === bound.port);
  assert.equal(ours?.transport, 'tcp');
  assert.equal(ours?.owner?.pid, process.pid);
  assert.ok(host.openFiles !== undefined && host.openFiles > 0);
  assert.ok(host.ephemeralPorts !== undefined && host.ephemeralPorts.first < host.ephemeralPorts.last);
  assert.equal(host.hasAccount('root'), true);
  assert.equal(host.hasAccount('no-such-account-here'), false);
});
