import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  parseMayBindLowPorts,
  parseNumber,
  parseOpenFiles,
  parsePortList,
  parsePortRange,
  parseSwitch,
} from './kernel-settings.ts';
import { parseHostsFile, parseResolverFile } from './name-files.ts';
import { parseIpv4Routes, parseIpv6Routes } from './routes.ts';
import { parseSocketTable } from './sockets.ts';

const IPV4_ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth1\t00002D0A\t01102D0A\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0
eth1\t00002E0A\t00000000\t0200\t0\t0\t0\t0000FFFF\t0\t0\t0
`;

const IPV6_ROUTES = `20010db8000100000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 20010db8000100000000000000000001 00000400 00000002 00000000 00000003     eth0
20010db8000100000000000000000010 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000003 00000000 80200001     eth0
ff000000000000000000000000000000 08 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000003 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`;

test('routes are those that are in use, with gateway and metric', () => {
  assert.deepEqual(parseIpv4Routes(IPV4_ROUTES), [
    { network: '0.0.0.0/0', gateway: '192.0.2.1', interface: 'eth0', metric: 100 },
    { network: '192.0.2.0/24', gateway: undefined, interface: 'eth0', metric: 0 },
    { network: '10.45.0.0/16', gateway: '10.45.16.1', interface: 'eth1', metric: 0 },
  ]);
  assert.deepEqual(parseIpv6Routes(IPV6_ROUTES), [
    { network: '2001:db8:1::/64', gateway: undefined, interface: 'eth0', metric: 256 },
    { network: '::/0', gateway: '2001:db8:1::1', interface: 'eth0', metric: 1024 },
  ]);
});

test('DNS servers and names are read past comments and options', () => {
  const text =
    '# written by hand\nnameserver 192.0.2.53 ; first\nnameserver fe80::1%eth0\nsearch Example.COM. int\noptions edns0\n';
  assert.deepEqual(parseResolverFile(text), {
    nameservers: ['192.0.2.53', 'fe80::1'],
    searchDomains: ['example.com', 'int'],
  });
  const hosts = parseHostsFile(
    '127.0.0.1 localhost\n10.45.16.10\tEdge1.example.com edge1 # us\n::1 localhost\n',
  );
  assert.deepEqual(hosts.get('edge1.example.com'), ['10.45.16.10']);
  assert.deepEqual(hosts.get('localhost'), ['127.0.0.1', '::1']);
});

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0A0200C0:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0A0200C0:01BB 0101A8C0:C001 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1
`;
const UDP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  10: 00000000000000000000000000000000:0D96 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4713 2 0 0
  11: B80D0120000001000000000010000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4714 2 0 0
  12: 0000000000000000FFFF00000A0200C0:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4715 2 0 0
`;

test('sockets are those that wait, with addresses in their usual form', () => {
  assert.deepEqual(parseSocketTable(TCP, 'tcp'), [
    { transport: 'tcp', address: '192.0.2.10', port: 443, inode: '4711' },
  ]);
  assert.deepEqual(
    parseSocketTable(UDP6, 'udp').map(({ address, port }) => [address, port]),
    [
      ['::', 3478],
      ['2001:db8:1::10', 53],
      ['192.0.2.10', 53],
    ],
  );
});

test('settings of the kernel', () => {
  assert.equal(parseNumber('4096\n'), 4096);
  assert.equal(parseNumber('many'), undefined);
  assert.equal(parseNumber(undefined), undefined);
  assert.deepEqual([parseSwitch('1\n'), parseSwitch('0\n'), parseSwitch('')], [true, false, undefined]);
  assert.deepEqual(parsePortRange('32768\t60999\n'), { first: 32768, last: 60999 });
  assert.equal(parsePortRange('x'), undefined);
  assert.deepEqual(parsePortList('8080,50000-59999\n'), [
    { first: 8080, last: 8080 },
    { first: 50000, last: 59999 },
  ]);
  assert.deepEqual(parsePortList('\n'), []);
  assert.equal(parsePortList(undefined), undefined);
  const limits = 'Limit  Soft Limit  Hard Limit  Units\nMax processes   1  2  processes\n';
  assert.equal(
    parseOpenFiles(`${limits}Max open files            1024                 524288               files\n`),
    1024,
  );
  assert.equal(
    parseOpenFiles(`${limits}Max open files            unlimited            unlimited            files\n`),
    Number.POSITIVE_INFINITY,
  );
  assert.equal(parseOpenFiles(limits), undefined);
  assert.equal(parseMayBindLowPorts('CapPrm:\t0\nCapEff:\t0000000000000400\n'), true);
  assert.equal(parseMayBindLowPorts('CapEff:\t00000000000003ff\n'), false);
  assert.equal(parseMayBindLowPorts(undefined), undefined);
});

test('no text makes them fail', () => {
  const lines = [IPV4_ROUTES, IPV6_ROUTES, TCP, UDP6].flatMap((text) => text.split('\n'));
  const text = fc
    .array(fc.oneof(fc.constantFrom(...lines), fc.string({ maxLength: 40 })), { maxLength: 8 })
    .map((parts) => parts.join('\n').replaceAll('C0', 'G'));
  fc.assert(
    fc.property(text, (input) => {
      for (const route of [...parseIpv4Routes(input), ...parseIpv6Routes(input)]) {
        assert.match(route.network, /^[0-9a-f.:]+\/\d{1,3}$/);
      }
      for (const { port } of parseSocketTable(input, 'tcp')) assert.equal(typeof port, 'number');
      parseResolverFile(input);
      parseHostsFile(input);
      parsePortList(input);
      parseOpenFiles(input);
    }),
    { numRuns: 300 },
  );
});
