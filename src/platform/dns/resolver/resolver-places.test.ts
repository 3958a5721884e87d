import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResolvConf, resolverPlaces } from './resolver-places.ts';

test('of /etc/resolv.conf only addresses of name servers are read, canonical, each once, at most eight', () => {
  const text = [
    '# made by hand',
    'search corp.example',
    'nameserver 192.0.2.1',
    '  nameserver\t2001:db8::1  # second',
    'nameserver 192.0.2.1',
    'nameserver 2001:DB8:0:0::1',
    'nameserver fe80::1%eth0',
    'nameserver resolver.example',
    'options timeout:1',
    ...Array.from({ length: 10 }, (_, n) => `nameserver 198.51.100.${n}`),
  ].join('\n');
  assert.deepEqual(parseResolvConf(text).slice(0, 3), ['192.0.2.1', '2001:db8::1', '198.51.100.0']);
  assert.equal(parseResolvConf(text).length, 8);
});

test('a host without such a file has no resolver', () => {
  assert.deepEqual(resolverPlaces([], '/nonexistent/resolv.conf'), []);
});
