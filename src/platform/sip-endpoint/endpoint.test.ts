import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServerTransaction } from '#protocols/sip';
import type { SipEndpoint } from './endpoint.ts';
import type { SipEndpointOptions } from './options.ts';
import { MemoryNetwork, Peer, request } from './testing/memory-network.ts';
import type { FlowOptions, SipEndpointLimits, SipFlow, SipUser } from './types.ts';

/** One endpoint and one peer; the endpoint's user answers every request with 200 unless told otherwise. */
function stage(
  user: Partial<SipUser> = {},
  options: Partial<SipEndpointOptions> = {},
  flowOptions: FlowOptions = {},
): { network: MemoryNetwork; endpoint: SipEndpoint; peer: Peer; flow: SipFlow; closed: string[] } {
  const network = new MemoryNetwork();
  const closed: string[] = [];
  const endpoint = network.endpoint(
    {
      onRequest: (_request, _flow, transaction) => endpoint.respond(transaction, 200),
      onFlowClosed: (_flow, reason) => closed.push(reason),
      ...user,
    },
    options,
  );
  const [near, far] = network.pair();
  const flow = endpoint.addFlow(far, flowOptions);
  assert(flow !== undefined);
  return { network, endpoint, peer: new Peer(near), flow, closed };
}

const dropped = (network: MemoryNetwork, reason: string) =>
  counted(network, 'messages_dropped_total', reason);
async function counted(network: MemoryNetwork, name: string, label: string): Promise<number> {
  const line = (await network.metrics.text()).split('\n').find((each) => {
    return each.startsWith(`sallyport_test_${name}{`) && each.includes(`"${label}"`);
  });
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

const OPEN = { messages: 100, bytes: 100_000, seconds: 1000 };

describe('requests and answers', () => {
  it('answers on the flow that brought the request, with one To tag for all answers', () => {
    const { network, endpoint, peer } = stage({
      onRequest: (_request, _flow, transaction) => {
        endpoint.respond(transaction, 180);
        endpoint.respond(transaction, 486, { reason: 'Not Now', headers: [['Retry-After', '9']] });
      },
    });
    peer.send(request('INVITE'));
    network.settle();
    const ringing = peer.takeResponse(180);
    const busy = peer.takeResponse(486);
    assert.equal(busy.reason, 'Not Now');
    assert.equal(busy.header('Retry-After'), '9');
    assert.equal(busy.to.tag, ringing.to.tag);
    assert.notEqual(busy.to.tag, undefined);
    assert.equal(busy.topVia.received, '127.0.9.1');
  });

  it('answers a merged request with 482', async () => {
    const { network, peer } = stage({ onRequest() {} });
    const first = request('MESSAGE')
      .toString()
      .replace(/;branch=[^\r;]*/, '');
    peer.send(first);
    peer.send(first.replace(/^(To:.*)$/m, '$1;tag=other'));
    network.settle();
    assert.deepEqual(peer.take(), ['482']);
    assert.equal(await dropped(network, 'merged-request'), 1);
  });

  it('collects what one turn of the loop has to say into one write', () => {
    const { network, peer, flow } = stage();
    peer.send(Buffer.concat([request('MESSAGE'), request('MESSAGE'), request('OPTIONS')]));
    peer.send(request('OPTIONS'));
    network.settle();
    assert.deepEqual(peer.take(), ['200', '200', '200', '200']);
    assert.equal((flow.connection as unknown as { writes: Buffer[] }).writes.length, 1);
  });

  it('sends requests, shows answers, reports time-out and loss of the flow', () => {
    const { network, endpoint, peer, flow } = stage();
    const seen: string[] = [];
    const ask = (branch: string) =>
      endpoint.request(
        flow,
        { method: 'OPTIONS', branch, bytes: request('OPTIONS', { branch }) },
        {
          onResponse: (response) => seen.push(`${response.status}`),
          onFailure: (cause) => seen.push(cause),
        },
      );
    assert(ask('z9hG4bK-a').ok);
    assert.deepEqual(ask('z9hG4bK-a'), { ok: false, error: 'duplicate-branch' });
    network.settle();
    peer.answer(peer.takeRequest('OPTIONS'), 404);
    network.settle();
    ask('z9hG4bK-b');
    network.wait(32_000);
    ask('z9hG4bK-c');
    peer.connection.destroy('reset');
    network.settle();
    assert.deepEqual(seen, ['404', 'timeout', 'transport']);
    assert.deepEqual(ask('z9hG4bK-d'), { ok: false, error: 'flow-closed' });
    assert.equal(endpoint.sendStateless(flow, request('ACK')), false);
  });

  it('shows the ACK for a 2xx and hides the one for a refusal', () => {
    const acks: string[] = [];
    const { network, endpoint, peer } = stage({
      onRequest: (invite, _flow, transaction) =>
        endpoint.respond(transaction, invite.callId === 'call-z9hG4bK-y' ? 200 : 486),
      onAck: (ack) => acks.push(ack.callId),
    });
    for (const branch of ['z9hG4bK-y', 'z9hG4bK-n']) {
      peer.send(request('INVITE', { branch }));
      peer.send(request('ACK', { branch: branch === 'z9hG4bK-y' ? 'z9hG4bK-own' : branch }));
    }
    network.settle();
    assert.deepEqual(acks, ['call-z9hG4bK-own']);
  });

  it('answers CANCEL by itself and passes it on', async () => {
    const { network, endpoint, peer } = stage({
      onRequest() {},
      onCancel: (_cancel, _flow, invite) => endpoint.respond(invite, 487),
    });
    peer.send(request('CANCEL', { branch: 'z9hG4bK-x' }));
    peer.send(request('INVITE', { branch: 'z9hG4bK-z' }));
    peer.send(request('CANCEL', { branch: 'z9hG4bK-z' }));
    network.settle();
    assert.deepEqual(peer.take(), ['481', '200', '487']);
    assert.equal(await dropped(network, 'cancel-without-invite'), 1);
  });

  it('counts a stray response and shows it', async () => {
    const strays: number[] = [];
    const { network, peer } = stage({ onStrayResponse: (response) => strays.push(response.status) });
    peer.send(
      'SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS here;branch=z9hG4bK-none\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n' +
        'Call-ID: x\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n',
    );
    network.settle();
    assert.deepEqual(strays, [200]);
    assert.equal(await dropped(network, 'stray-response'), 1);
  });

  it('refuses with 503 what its table cannot hold', async () => {
    const { network, peer } = stage({ onRequest() {} }, { limits: { serverTransactions: 1 } });
    peer.send(request('MESSAGE'));
    peer.send(request('MESSAGE'));
    network.settle();
    assert.equal(peer.takeResponse(503).has('Retry-After'), true);
    assert.equal(await dropped(network, 'transactions-full'), 1);
  });

  it('refuses a flow more open requests than it may have, until some are answered', async () => {
    const open: ServerTransaction[] = [];
    const onRequest: SipUser['onRequest'] = (_request, _flow, transaction) => open.push(transaction);
    const { network, endpoint, peer } = stage({ onRequest, onCancel() {} }, {}, { openRequests: 2 });
    peer.send(request('INVITE', { branch: 'z9hG4bK-1' }));
    for (const branch of ['z9hG4bK-2', 'z9hG4bK-3']) peer.send(request('MESSAGE', { branch }));
    peer.send(request('CANCEL', { branch: 'z9hG4bK-1' }));
    network.settle();
    assert.deepEqual(peer.take(), ['503', '200']);
    assert.equal(await dropped(network, 'flow-requests-full'), 1);
    for (const transaction of open) endpoint.respond(transaction, 486);
    peer.send(request('MESSAGE'));
    network.settle();
    assert.deepEqual([peer.take(), open.length], [['486', '486'], 3]);
  });

  it('counts a call that was answered no longer as open', () => {
    const { network, endpoint, peer } = stage(
      { onRequest: (_request, _flow, transaction) => endpoint.respond(transaction, 200) },
      {},
      { openRequests: 1 },
    );
    for (let call = 0; call < 3; call += 1) peer.send(request('INVITE', { branch: `z9hG4bK-call-${call}` }));
    network.settle();
    assert.deepEqual(peer.take(), ['200', '200', '200']);
    assert.equal(endpoint.transactions.server, 3);
  });

  it('tells the owner of a server transaction that its flow is gone', () => {
    const causes: string[] = [];
    const { network, endpoint, peer, closed } = stage({
      onRequest: (_request, _flow, transaction: ServerTransaction) => {
        transaction.user = { onFailure: (cause) => causes.push(cause) };
      },
    });
    peer.send(request('MESSAGE'));
    network.settle();
    peer.connection.end();
    network.settle();
    assert.deepEqual([causes, closed], [['transport'], ['peer-closed']]);
    assert.deepEqual(endpoint.transactions, { server: 0, client: 0 });
    assert.equal(endpoint.flowCount, 0);
  });
});

describe('keep-alive (RFC 5626 §4.4.1)', () => {
  it('answers a ping with a pong', () => {
    const { network, peer, flow } = stage();
    peer.send('\r\n\r\n');
    network.settle();
    assert.deepEqual((flow.connection as unknown as { writes: Buffer[] }).writes.map(String), ['\r\n']);
  });

  it('pings as the client side and is content with pongs', () => {
    const { network, peer, closed } = stage({}, {}, { dialled: true, keepAlive: { intervalMs: 20_000 } });
    let pings = 0;
    peer.connection.onData = (chunk) => {
      assert.equal(chunk.toString(), '\r\n\r\n');
      pings += 1;
      peer.connection.write(Buffer.from('\r\n'));
    };
    network.wait(100_000);
    assert.deepEqual(closed, []);
    assert(pings >= 4 && pings <= 6);
  });

  it('closes when the pong does not come', () => {
    const { network, closed } = stage(
      {},
      {},
      { dialled: true, keepAlive: { intervalMs: 20_000, pongMs: 5000 } },
    );
    network.wait(15_000);
    assert.deepEqual(closed, []);
    network.wait(12_000);
    assert.deepEqual(closed, ['pong-timeout']);
  });
});

describe('bad input', () => {
  it('answers a bad request, keeps the flow, and logs once', async () => {
    const { network, peer, closed } = stage();
    const bad = request('MESSAGE').toString().replace('Max-Forwards: 70', 'Max-Forwards: 700');
    peer.send(bad);
    peer.send(bad);
    peer.send(request('MESSAGE'));
    network.settle();
    assert.deepEqual([peer.take(), closed], [['400', '400', '200'], []]);
    assert.equal(await dropped(network, 'bad-request'), 2);
    assert.equal(network.log.lines.filter((line) => line.level === 'info').length, 1);
  });

  it('answers and closes when the end of a message cannot be known', () => {
    const { network, peer, closed } = stage();
    peer.send(request('MESSAGE').toString().replace('Content-Length: 0', 'Content-Length: -1'));
    network.settle();
    assert.deepEqual([peer.take(), closed], [['400'], ['malformed']]);
    assert.equal(peer.connection.closed, true);
  });

  it('closes on what is not SIP', async () => {
    const { network, peer, closed } = stage();
    peer.send('GET / HTTP/1.1\r\nHost: sip.example.org\r\n\r\n');
    network.settle();
    assert.deepEqual(closed, ['malformed']);
    assert.equal(await counted(network, 'flows_closed_total', 'malformed'), 1);
  });

  it('closes when a message is not complete in time', () => {
    const { network, peer, closed } = stage();
    peer.send('MESSAGE sip:bob@example.org SIP/2.0\r\nVia: ');
    network.wait(29_000);
    assert.deepEqual(closed, []);
    network.wait(3000);
    assert.deepEqual(closed, ['message-timeout']);
  });
});

describe('before sign-in', () => {
  const preAuthorisation = { messages: 2, bytes: 4000, seconds: 10 };
  const limits: Partial<SipEndpointLimits> = { preAuthorisation };

  it('closes after too many messages', () => {
    const { network, peer, closed } = stage({}, { limits });
    for (let i = 0; i < 3; i++) {
      peer.send(request('OPTIONS'));
      network.settle();
    }
    assert.deepEqual([peer.take(), closed], [['200', '200'], ['unauthorised-messages']]);
  });
  it('counts what is no good message', () => {
    const { network, peer, closed } = stage({}, { limits });
    const bad = request('OPTIONS').toString().replace('Max-Forwards: 70', 'Max-Forwards: 700');
    for (let i = 0; i < 3; i++) {
      peer.send(bad);
      network.settle();
    }
    assert.deepEqual([peer.take(), closed], [['400', '400'], ['unauthorised-messages']]);
  });
  it('counts the time from when the connection was opened, whoever had it before', () => {
    const { network, endpoint, closed } = stage({}, { limits: { preAuthorisation: OPEN } });
    endpoint.configure({ preAuthorisation });
    const [, far] = network.pair();
    network.wait(9000);
    endpoint.addFlow(far, { authorised: false });
    const before = closed.length;
    network.wait(3000);
    assert.ok(closed.slice(before).includes('unauthorised-seconds') && far.closed);
  });
  it('closes after too many bytes', () => {
    const { network, peer, closed } = stage({}, { limits });
    peer.send(request('OPTIONS', { body: 'x'.repeat(4000) }));
    network.settle();
    assert.deepEqual([peer.take(), closed], [[], ['unauthorised-bytes']]);
  });
  it('counts bytes that make no message yet', () => {
    const { network, peer, closed } = stage({}, { limits });
    peer.send(`MESSAGE sip:bob@example.org SIP/2.0\r\nSubject: ${'x'.repeat(4000)}`);
    network.settle();
    assert.deepEqual(closed, ['unauthorised-bytes']);
  });
  it('closes after too long', () => {
    const { network, closed } = stage({}, { limits });
    network.wait(12_000);
    assert.deepEqual(closed, ['unauthorised-seconds']);
  });
  it('lets an authorised flow be', () => {
    const { network, peer, flow, closed } = stage({}, { limits });
    assert.equal(flow.authorised, false);
    flow.authorised = true;
    for (let i = 0; i < 9; i++) peer.send(request('OPTIONS', { body: 'x'.repeat(900) }));
    network.wait(60_000);
    assert.deepEqual([peer.take().length, closed], [9, []]);
  });
});

describe('other limits while it runs', () => {
  it('counts transactions, flows and the time before sign-in by the new ones, messages on new flows only', () => {
    const { network, endpoint, peer, closed } = stage(
      { onRequest() {} },
      { limits: { preAuthorisation: OPEN } },
    );
    endpoint.configure({ serverTransactions: 1, headers: 10, messageBytes: 600 });
    peer.send(Buffer.concat([request('INVITE'), request('INVITE', { body: 'x'.repeat(700) })]));
    network.settle();
    assert.deepEqual(peer.take(), ['503'], 'the second INVITE finds the table full, its size is still fine');
    const [near, far] = network.pair();
    assert.notEqual(endpoint.addFlow(far), undefined);
    const second = new Peer(near);
    second.send(request('OPTIONS', { body: 'x'.repeat(700) }));
    network.settle();
    assert.deepEqual(second.take(), ['513'], 'a flow that came later has the new size');
    endpoint.configure({ flows: 1 });
    assert.equal(endpoint.addFlow(network.pair()[1]), undefined);
    endpoint.configure({ preAuthorisation: { ...OPEN, seconds: 5 } });
    network.wait(7_000);
    assert.deepEqual(closed.includes('unauthorised-seconds'), true);
  });
});

describe('flows', () => {
  it('takes no more than it may', () => {
    const { network, endpoint } = stage({}, { limits: { flows: 1 } });
    const [, far] = network.pair();
    assert.equal(endpoint.addFlow(far), undefined);
    assert.equal(far.closeReason, 'limit');
  });

  it('closes all and stops its timers', () => {
    const { network, endpoint, peer, closed } = stage({ onRequest() {} });
    peer.send(request('INVITE'));
    network.settle();
    endpoint.close();
    network.wait(120_000);
    assert.deepEqual(closed, ['shutdown']);
    assert.deepEqual(endpoint.transactions, { server: 0, client: 0 });
  });

  it('sends what waits before it closes', () => {
    const { network, endpoint, peer, flow } = stage({
      onRequest: (_request, _flow, transaction) => {
        endpoint.respond(transaction, 403);
        endpoint.closeFlow(flow, 'policy');
      },
    });
    peer.send(request('MESSAGE'));
    network.settle();
    assert.deepEqual(peer.take(), ['403']);
    assert.equal(peer.connection.closed, true);
  });
});
