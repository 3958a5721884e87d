import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { localEndpoint, parseSource, remoteEndpoint, sourceKey, sourceText } from './endpoint.ts';

test('an IPv4 source is an address, an IPv6 source is a /64', () => {
  assert.equal(sourceKey('192.0.2.1'), '192.0.2.1');
  const same = ['2001:db8:0:1::1', '2001:db8:0:1:2:3:4:5', '2001:db8:0:1::', '2001:db8:0:1::2%eth0'];
  assert.deepEqual(new Set(same.map(sourceKey)), new Set(['2001:db8:0:1/64']));
  // Behind a translator all of IPv4 is in one /64 (RFC 6052 §2.1), and is told apart all the same.
  assert.equal(sourceKey('64:ff9b::c000:201'), '192.0.2.1');
  assert.equal(sourceKey('64:ff9b::1'), '0.0.0.1');
  assert.equal(sourceKey('64:ff9b:1::c000:201'), '64:ff9b:1:0/64');
  assert.equal(sourceKey('::1'), '0:0:0:0/64');
  assert.equal(sourceKey('fe80::1%lo'), 'fe80:0:0:0/64');
  assert.equal(sourceKey('2001:db8::1:2:3:4:5'), '2001:db8:0:1/64');
  assert.equal(sourceKey('1:2:3:4:5:6:7:8'), '1:2:3:4/64');
  assert.notEqual(sourceKey('2001:db8:0:1::1'), sourceKey('2001:db8:0:2::1'));
});

test('a source is shown as people write it, and read back in any spelling', () => {
  for (const [address, shown] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['2001:db8::1', '2001:db8::/64'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4::/64'],
    ['::1', '::/64'],
  ] as const) {
    assert.equal(sourceText(sourceKey(address)), shown);
    assert.equal(parseSource(shown), sourceKey(address));
    assert.equal(parseSource(address.toUpperCase()), sourceKey(address));
  }
  assert.equal(parseSource('2001:0DB8:0:0001::/64'), '2001:db8:0:1/64');
  for (const none of ['', 'nobody', '192.0.2.1/64', '2001:db8::/48', '2001:db8::/64/64', '2001:db8:0:1/64'])
    assert.equal(parseSource(none), undefined, none);
});

test('an IPv4-mapped address is written as IPv4', async (t) => {
  const server = createServer().listen(0, '::ffff:127.0.9.7');
  t.after(() => server.close());
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.9.7');
  const socket = await accepted;
  assert.deepEqual(localEndpoint(socket), { address: '127.0.9.7', port });
  assert.equal(remoteEndpoint(socket)?.address, '127.0.0.1');
  client.destroy();
  socket.destroy();
});
