import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildResponse } from '#protocols/sip';
import { formatAssertedSource } from '#protocols/trust-marking';
import { request } from './testing/messages.ts';
import { Bench, branched, EDGE } from './testing/wire.ts';

const MARK: readonly [string, string] = [
  'Sallyport-Asserted-Source',
  formatAssertedSource({ address: 'alice@example.test', source: 'remote-user', edge: EDGE }),
];
const ROUTE: readonly [string, string] = ['Route', `<sip:token@${EDGE}:5061;transport=tls;lr>`];
const IN_DIALOG = { uri: 'sip:carol@192.0.2.1', to: '<sip:carol@example.test>;tag=c1' };

test('whoever was in a dialog cannot speak in it under another name', async () => {
  const bench = await Bench.start();
  const edge = bench.edge();
  const message = (from: string, marks: (readonly [string, string])[], cseq: number) =>
    request({ ...IN_DIALOG, method: 'MESSAGE', from, callId: `m${cseq}`, cseq, headers: [ROUTE, ...marks] });
  bench.arrives(edge, branched(message('sip:boss@example.test', [], 1), 'b1'));
  assert.ok(edge.response(407).has('Proxy-Authenticate'));
  bench.arrives(edge, branched(message('sip:boss@example.test', [MARK], 2), 'b2'));
  edge.response(407);
  bench.toEdge.isSilent();
  bench.arrives(edge, branched(message('sip:alice@example.test;user=phone', [MARK], 3), 'b3'));
  assert.ok(!bench.toEdge.request('MESSAGE').has('Sallyport-Asserted-Source'));
});

test('S14: a stranger is asked for a password in the same words, whoever is called and whoever is said to call', async () => {
  const bench = await Bench.start();
  const edge = bench.edge();
  bench.signsIn(edge, 'alice@example.test');
  bench.signsIn(edge, 'carol@example.test');
  let sent = 0;
  const said = (method: string, from: string, to: string, headers: (readonly [string, string])[] = []) => {
    sent += 1;
    const uri = method === 'REGISTER' ? 'sip:example.test' : `sip:${to}@example.test`;
    const asked = request({
      method,
      uri,
      from: `sip:${from}@example.test`,
      to: `<sip:${to}@example.test>`,
      headers,
    });
    bench.arrives(edge, branched(asked, `s${sent}`));
    let answer = edge.anyResponse();
    if (answer.status === 100) answer = edge.anyResponse();
    bench.toEdge.isSilent();
    const names = answer.names().join(' ');
    const asks = [...answer.values('WWW-Authenticate'), ...answer.values('Proxy-Authenticate')];
    return [answer.status, answer.reason, names, ...asks.map((one) => one.replace(/nonce="[^"]*"/, ''))];
  };
  const presence = [['Event', 'presence']] as const;
  const digest = 'Digest username="x", realm="example.test", nonce="n", uri="sip:x", response="0"';
  for (const method of [
    'REGISTER',
    'INVITE',
    'OPTIONS',
    'MESSAGE',
    'SUBSCRIBE',
    'REFER',
    'PUBLISH',
    'INFO',
    'NOTIFY',
  ]) {
    for (const headers of [[], presence, [['Authorization', digest]]] as const) {
      const known = said(method, 'alice', 'carol', [...headers]);
      assert.equal(known[0], method === 'REGISTER' ? 401 : 407, method);
      assert.deepEqual(said(method, 'alice', 'nobody', [...headers]), known, `${method} to nobody`);
      assert.deepEqual(said(method, 'nobody', 'carol', [...headers]), known, `${method} of nobody`);
    }
  }
});

test('a call can be ended without proof of a name', async () => {
  const bench = await Bench.start();
  const edge = bench.edge();
  bench.arrives(
    edge,
    request({ ...IN_DIALOG, method: 'BYE', from: 'sip:helpdesk@example.test', headers: [ROUTE] }).bytes,
  );
  bench.toEdge.request('BYE');
});

test('a callee cannot ask the caller for a password, and gets no answer to such a question', async () => {
  const bench = await Bench.start();
  const edge = bench.edge();
  bench.registrar.register(
    {
      aor: 'carol@example.test',
      request: request({ from: 'sip:carol@example.test', headers: [['Contact', '<sip:carol@192.0.2.1>']] }),
      reach: { kind: 'path', path: [`<sip:token@${EDGE}:5061;transport=tls;lr>`] },
    },
    bench.clock.wall(),
  );
  const credentials = 'Digest username="alice", realm="example.test", nonce="n", uri="sip:c", response="0"';
  const message = request({
    method: 'MESSAGE',
    uri: 'sip:carol@example.test',
    headers: [MARK, ['Authorization', credentials], ['Proxy-Authorization', credentials]],
  });
  bench.arrives(edge, message.bytes);
  const received = bench.toEdge.request('MESSAGE');
  assert.ok(!received.has('Authorization') && !received.has('Proxy-Authorization'));
  const challenge = 'Digest realm="example.test", nonce="chosen by carol", algorithm=MD5';
  bench.arrives(
    bench.toEdge,
    buildResponse(received, 401, {
      toTag: 'c',
      headers: [
        ['WWW-Authenticate', challenge],
        ['Proxy-Authenticate', challenge],
      ],
    }),
  );
  const answer = edge.response(401);
  assert.ok(!answer.has('WWW-Authenticate') && !answer.has('Proxy-Authenticate'));
});

test('nobody speaks under the name of another domain', async () => {
  const bench = await Bench.start();
  const edge = bench.edge();
  const from = 'sip:alice@elsewhere.test';
  bench.arrives(edge, request({ method: 'MESSAGE', uri: 'sip:bob@example.test', from }).bytes);
  assert.equal(edge.response(403).reason, 'From Is Not Of This Domain');
});

test('a client that is in no dialog with another cannot end its call', async () => {
  const bench = await Bench.start();
  const [alice, bob, mallory] = [bench.client(), bench.client(), bench.client()];
  const bye = (...tokens: string[]) => {
    const routes = tokens.map((token) => ['Route', `<sip:${token}@127.0.11.2:5061;lr>`] as const);
    return request({ ...IN_DIALOG, method: 'BYE', headers: routes });
  };
  bench.arrives(mallory.wire, branched(bye(bob.token), 'b1'));
  mallory.wire.response(407);
  bench.arrives(mallory.wire, branched(bye(alice.token, bob.token), 'b2'));
  mallory.wire.response(407);
  bob.wire.isSilent();
  bench.arrives(alice.wire, branched(bye(alice.token, bob.token), 'b3'));
  bob.wire.request('BYE');
});

test('[S13] a request is forked to no more devices than its Max-Breadth allows, and they share it (RFC 5393 §5)', async () => {
  const bench = await Bench.start();
  const edge = bench.edge();
  const [alice, desk] = [bench.client().wire, bench.client().wire];
  assert.equal(bench.signsIn(alice, 'alice@example.test'), 200);
  assert.equal(bench.signsIn(edge, 'bob@example.test', 'sip:bob@192.0.2.7'), 200);
  assert.equal(bench.signsIn(desk, 'bob@example.test', 'sip:bob@192.0.2.8'), 200);
  const asks = (breadth: string, branch: string) =>
    bench.arrives(
      alice,
      branched(
        request({
          ...{ method: 'MESSAGE', uri: 'sip:bob@example.test', to: '<sip:bob@example.test>', callId: branch },
          headers: [['Max-Breadth', breadth]],
        }),
        branch,
      ),
    );
  asks('7', 'wide');
  assert.equal(desk.request('MESSAGE').header('Max-Breadth'), '3');
  assert.equal(bench.toEdge.request('MESSAGE').header('Max-Breadth'), '3');
  asks('1', 'narrow');
  alice.response(440);
  desk.isSilent();
});
