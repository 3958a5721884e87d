import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatVia, parseVia, type Via } from './via.ts';
import { viaWithSource } from './via-source.ts';

function via(text: string): Via {
  const parsed = parseVia(text);
  assert.ok(parsed.ok, `${text}: ${parsed.ok ? '' : parsed.error}`);
  return parsed.value;
}

describe('parsing (RFC 3261 §20.42)', () => {
  test('all the parts', () => {
    const { parameters, ...rest } = via(
      'SIP/2.0/udp Erlang.Bell-Telephone.com:5060;branch=z9hG4bK87asdks7;received=192.0.2.207;rport=5070;ttl=16',
    );
    assert.deepEqual(rest, {
      protocol: 'SIP/2.0',
      transport: 'UDP',
      host: 'erlang.bell-telephone.com',
      port: 5060,
      branch: 'z9hG4bK87asdks7',
      received: '192.0.2.207',
      rport: 5070,
    });
    assert.equal(parameters.get('ttl'), '16');
  });
  test('white space everywhere', () => {
    const loose = via('SIP / 2.0 / TCP   [2001:db8::9:1] : 4000 ; branch = z9hG4bK1');
    assert.deepEqual(
      [loose.transport, loose.host, loose.port, loose.branch],
      ['TCP', '[2001:db8::9:1]', 4000, 'z9hG4bK1'],
    );
  });
  test('rport is asked for without a value (RFC 3581 §3)', () => {
    assert.equal(via('SIP/2.0/TLS a;rport').rport, true);
    assert.equal(via('SIP/2.0/TLS a').rport, undefined);
  });
  for (const [text, error] of [
    ['', 'sent-protocol'],
    ['SIP/2.0 a', 'sent-protocol'],
    ['SIP/2.0/UDP', 'sent-protocol'],
    ['SIP//UDP a', 'sent-protocol'],
    ['SIP/2.0/UDP a b', 'host'],
    ['SIP/2.0/UDP a:x', 'port'],
    ['SIP/2.0/UDP a;branch', 'branch'],
    ['SIP/2.0/UDP a;branch="x y"', 'branch'],
    ['SIP/2.0/UDP a;rport=x', 'rport'],
    ['SIP/2.0/UDP a;rport=65536', 'rport'],
    ['SIP/2.0/UDP a;branch=1;branch=2', 'duplicate-parameter'],
    ['SIP/2.0/UDP a;;', 'parameter'],
  ] as const) {
    test(`${JSON.stringify(text)}: ${error}`, () => assert.deepEqual(parseVia(text), { ok: false, error }));
  }
});

describe('received and rport (RFC 3261 §18.2.1, RFC 3581 §4)', () => {
  const source = { address: '192.0.2.9', port: 40_000 };
  const changed = (text: string, from = source) => {
    const result = viaWithSource(via(text), from);
    return result && formatVia(result);
  };
  test('nothing to write when the address is the one in sent-by', () => {
    assert.equal(changed('SIP/2.0/TLS 192.0.2.9:5061;branch=z9hG4bK1'), undefined);
    assert.equal(changed('SIP/2.0/TLS [2001:DB8::1]', { address: '2001:db8::1', port: 1 }), undefined);
  });
  test('another address', () => {
    assert.equal(
      changed('SIP/2.0/TLS host.example.com;branch=z9hG4bK1'),
      'SIP/2.0/TLS host.example.com;branch=z9hG4bK1;received=192.0.2.9',
    );
  });
  test('rport asks for both', () => {
    assert.equal(
      changed('SIP/2.0/TLS 192.0.2.9;rport'),
      'SIP/2.0/TLS 192.0.2.9;rport=40000;received=192.0.2.9',
    );
  });
  test('what the sender wrote itself is not believed', () => {
    assert.equal(changed('SIP/2.0/TLS 192.0.2.9;received=10.0.0.1'), 'SIP/2.0/TLS 192.0.2.9');
    assert.equal(
      changed('SIP/2.0/TLS a;rport=1;received=10.0.0.1'),
      'SIP/2.0/TLS a;rport=40000;received=192.0.2.9',
    );
  });
});
