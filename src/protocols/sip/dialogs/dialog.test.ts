import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildRequest, buildResponse } from '../messages/build.ts';
import { sipLimits } from '../messages/limits.ts';
import { SipRequest, SipResponse } from '../messages/message.ts';
import { parseSipMessage } from '../messages/parse.ts';
import { Dialog } from './dialog.ts';
import { dialogIdOf } from './dialog-id.ts';

type Headers = readonly (readonly [string, string])[];

function read(bytes: Buffer): SipRequest | SipResponse {
  const parsed = parseSipMessage(bytes, sipLimits);
  assert(parsed.ok, `unreadable: ${bytes.toString()}`);
  return parsed.value;
}
function readRequest(bytes: Buffer): SipRequest {
  const message = read(bytes);
  assert(message instanceof SipRequest);
  return message;
}

const ROUTES: Headers = [
  ['Record-Route', '<sip:p2.example;lr>, <sip:p1.example;lr>'],
  ['Record-Route', '<sips:edge.example;lr;x=1>'],
];

function invite(
  headers: Headers = [['Contact', '<sip:alice@192.0.2.1:5060>']],
  uri = 'sip:bob@example.org',
): SipRequest {
  return readRequest(
    buildRequest({
      method: 'INVITE',
      uri,
      headers: [
        ['Via', 'SIP/2.0/TLS alice.example;branch=z9hG4bK-i'],
        ['From', '"Alice" <sip:alice@example.org>;tag=a-tag'],
        ['To', '<sip:bob@example.org>'],
        ['Call-ID', 'the-call'],
        ['CSeq', '20 INVITE'],
        ...headers,
      ],
    }),
  );
}
function answer(
  status: number,
  headers: Headers = [['Contact', '<sip:bob@198.51.100.7>']],
  toTag = 'b-tag',
): SipResponse {
  const response = read(buildResponse(invite(), status, { toTag, headers }));
  assert(response instanceof SipResponse);
  return response;
}
function dialog(result: ReturnType<typeof Dialog.asUac>): Dialog {
  assert(result.ok, 'a dialog expected');
  return result.value;
}
const via = 'SIP/2.0/TLS me.example;branch=z9hG4bK-n';

/** A request of the peer's in a dialog that we answered. */
function fromPeer(
  method: string,
  cseq: number,
  headers: Headers = [],
  tags = { from: 'a-tag', to: 'b-tag' },
): SipRequest {
  return readRequest(
    buildRequest({
      method,
      uri: 'sip:bob@198.51.100.7',
      headers: [
        ['Via', 'SIP/2.0/TLS alice.example;branch=z9hG4bK-p'],
        ['From', `<sip:alice@example.org>;tag=${tags.from}`],
        ['To', `<sip:bob@example.org>;tag=${tags.to}`],
        ['Call-ID', 'the-call'],
        ['CSeq', `${cseq} ${method}`],
        ...headers,
      ],
    }),
  );
}

describe('dialog as UAC (RFC 3261 §12.1.2)', () => {
  it('takes the route set reversed and the Contact as target', () => {
    const call = dialog(
      Dialog.asUac(invite(), answer(180, [['Contact', '<sip:bob@198.51.100.7>'], ...ROUTES])),
    );
    assert.equal(call.state, 'early');
    assert.deepEqual(call.routeSet, [
      '<sips:edge.example;lr;x=1>',
      '<sip:p1.example;lr>',
      '<sip:p2.example;lr>',
    ]);
    assert.equal(call.remoteTarget, 'sip:bob@198.51.100.7');
    assert.deepEqual([call.localTag, call.remoteTag, call.localCSeq], ['a-tag', 'b-tag', 20]);
  });

  it('is confirmed by the 2xx, which sets the route set anew (RFC 3261 §13.2.2.4)', () => {
    const call = dialog(Dialog.asUac(invite(), answer(180)));
    assert.deepEqual(call.routeSet, []);
    assert(
      call.handleResponse(
        answer(200, [
          ['Contact', '<sip:bob@203.0.113.5>'],
          ['Record-Route', '<sip:p.example;lr>'],
        ]),
      ).ok,
    );
    assert.equal(call.state, 'confirmed');
    assert.deepEqual(call.routeSet, ['<sip:p.example;lr>']);
    assert.equal(call.remoteTarget, 'sip:bob@203.0.113.5');
  });

  it('ends early when the INVITE is refused, and ignores another fork', () => {
    const call = dialog(Dialog.asUac(invite(), answer(180)));
    assert.deepEqual(call.handleResponse(answer(200, undefined, 'other')), {
      ok: false,
      error: 'other-dialog',
    });
    assert(call.handleResponse(answer(486)).ok);
    assert.equal(call.state, 'terminated');
    assert.deepEqual(call.handleResponse(answer(200)), { ok: false, error: 'terminated' });
  });

  it('needs tags, a Contact and routes that can be read', () => {
    const without = (response: SipResponse) => Dialog.asUac(invite(), response);
    assert.deepEqual(without(answer(200, [])), { ok: false, error: 'contact' });
    assert.deepEqual(without(answer(200, [['Contact', '<tel:+1>']])), { ok: false, error: 'contact' });
    assert.deepEqual(
      without(
        answer(200, [
          ['Contact', '<sip:b@c>'],
          ['Record-Route', '<tel:+1>'],
        ]),
      ),
      { ok: false, error: 'route' },
    );
    const untagged = read(buildResponse(invite(), 200, { headers: [['Contact', '<sip:b@c>']] }));
    assert(untagged instanceof SipResponse);
    assert.deepEqual(without(untagged), { ok: false, error: 'tag' });
  });
});

describe('dialog as UAS (RFC 3261 §12.1.1)', () => {
  const uas = () =>
    dialog(
      Dialog.asUas(
        invite([['Contact', '<sip:alice@192.0.2.1:5060>'], ...ROUTES], 'sips:bob@example.org'),
        'b-tag',
        180,
      ),
    );

  it('takes the route set as it stands', () => {
    const call = uas();
    assert.deepEqual(call.routeSet, [
      '<sip:p2.example;lr>',
      '<sip:p1.example;lr>',
      '<sips:edge.example;lr;x=1>',
    ]);
    assert.equal(call.remoteTarget, 'sip:alice@192.0.2.1:5060');
    assert.equal(call.secure, true);
    assert.equal(call.id, dialogIdOf(fromPeer('BYE', 21)));
    call.confirm();
    assert.equal(call.state, 'confirmed');
  });

  it('minds the order of CSeq, but not for ACK (RFC 3261 §12.2.2)', () => {
    const call = uas();
    assert(call.handleRequest(fromPeer('ACK', 20)).ok);
    assert(call.handleRequest(fromPeer('INFO', 25)).ok);
    assert.deepEqual(call.handleRequest(fromPeer('INFO', 25)), { ok: false, error: 'cseq-out-of-order' });
    assert.deepEqual(call.handleRequest(fromPeer('INFO', 24)), { ok: false, error: 'cseq-out-of-order' });
    assert.equal(call.remoteCSeq, 25);
  });

  it('follows a target refresh, and nothing else', () => {
    const call = uas();
    call.handleRequest(fromPeer('INFO', 21, [['Contact', '<sip:mallory@203.0.113.9>']]));
    assert.equal(call.remoteTarget, 'sip:alice@192.0.2.1:5060');
    call.handleRequest(fromPeer('INVITE', 22, [['Contact', '<sip:alice@203.0.113.8>']]));
    assert.equal(call.remoteTarget, 'sip:alice@203.0.113.8');
  });

  it('ends with BYE, and knows what is not its own', () => {
    const call = uas();
    const foreign = fromPeer('BYE', 30, [], { from: 'x', to: 'b-tag' });
    assert.deepEqual(call.handleRequest(foreign), { ok: false, error: 'other-dialog' });
    assert(call.handleRequest(fromPeer('BYE', 30)).ok);
    assert.equal(call.state, 'terminated');
  });
});

describe('requests within a dialog (RFC 3261 §12.2.1.1)', () => {
  it('go along the loose route set to the remote target', () => {
    const call = dialog(
      Dialog.asUac(invite(), answer(200, [['Contact', '<sip:bob@198.51.100.7>'], ...ROUTES])),
    );
    const bye = call.request('BYE', { via });
    const sent = readRequest(bye.bytes);
    assert.equal(sent.uri, 'sip:bob@198.51.100.7');
    assert.deepEqual(sent.values('Route'), call.routeSet);
    assert.deepEqual([sent.from.tag, sent.to.tag, sent.callId], ['a-tag', 'b-tag', 'the-call']);
    assert.deepEqual([bye.cseq, sent.cseq], [21, { number: 21, method: 'BYE' }]);
    assert.equal(sent.maxForwards, 70);
    assert.equal(readRequest(call.request('INFO', { via }).bytes).cseq.number, 22);
  });

  it('put the target last where the first proxy is a strict router', () => {
    const strict: Headers = [
      ['Contact', '<sip:bob@198.51.100.7>'],
      ['Record-Route', '<sip:p2.example;lr>, <sip:p1.example>'],
    ];
    const call = dialog(Dialog.asUac(invite(), answer(200, strict)));
    const sent = readRequest(call.request('BYE', { via }).bytes);
    assert.equal(sent.uri, 'sip:p1.example');
    assert.deepEqual(sent.values('Route'), ['<sip:p2.example;lr>', '<sip:bob@198.51.100.7>']);
  });

  it('carry further headers and a body', () => {
    const call = dialog(Dialog.asUas(invite(), 'b-tag', 200));
    const sent = readRequest(
      call.request('INFO', { via, headers: [['Content-Type', 'text/plain']], body: Buffer.from('hello') })
        .bytes,
    );
    assert.equal(sent.body.toString(), 'hello');
    assert.deepEqual([sent.from.tag, sent.to.tag], ['b-tag', 'a-tag']);
    assert.equal(sent.cseq.number, 1);
  });

  it('acknowledge a 2xx by the number of its INVITE', () => {
    const call = dialog(Dialog.asUac(invite(), answer(200)));
    const sent = readRequest(call.ack(20, { via }).bytes);
    assert.deepEqual(sent.cseq, { number: 20, method: 'ACK' });
    assert.equal(call.localCSeq, 20);
  });
});

describe('a dialog that outlives its process', () => {
  it('goes on where it stood: routes, target and numbers', () => {
    const before = dialog(
      Dialog.asUas(invite([['Contact', '<sip:alice@192.0.2.1:5060>'], ...ROUTES]), 'b-tag', 200),
    );
    before.request('NOTIFY', { via });
    const after = Dialog.restore(JSON.parse(JSON.stringify(before.record)));
    assert(after !== undefined);
    assert.deepEqual(after.record, before.record);
    const sent = readRequest(after.request('NOTIFY', { via }).bytes);
    assert.equal(sent.cseq.number, 2);
    assert.deepEqual(sent.values('Route'), before.routeSet);
    assert.deepEqual(after.handleRequest(fromPeer('INFO', 20)), { ok: false, error: 'cseq-out-of-order' });
  });

  it('cannot go on along routes that cannot be read', () => {
    const { record } = dialog(Dialog.asUas(invite(), 'b-tag', 200));
    assert.equal(Dialog.restore({ ...record, routeSet: ['<tel:+1>'] }), undefined);
  });

  it('of a subscription follows the Contact of SUBSCRIBE and NOTIFY (RFC 5057)', () => {
    const call = dialog(Dialog.asUas(invite(), 'b-tag', 200));
    call.handleRequest(fromPeer('SUBSCRIBE', 21, [['Contact', '<sip:alice@203.0.113.8>']]));
    assert.equal(call.remoteTarget, 'sip:alice@203.0.113.8');
  });
});
