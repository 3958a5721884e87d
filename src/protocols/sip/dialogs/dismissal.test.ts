import assert from 'node:assert/strict';
import { it } from 'node:test';
import { buildRequest, buildResponse } from '../messages/build.ts';
import { sipLimits } from '../messages/limits.ts';
import { SipRequest, SipResponse } from '../messages/message.ts';
import { parseSipMessage } from '../messages/parse.ts';
import { dismissalOf } from './dismissal.ts';

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

const BOB = '<sip:bob@partner.example>';

/** As the edge sent it on, behind one proxy; with proxies `behind` the edge, as it comes to its target. */
function invite(behind: readonly string[] = [], to = BOB, cseq = 20): Buffer {
  return buildRequest({
    method: 'INVITE',
    uri: 'sip:bob@partner.example',
    headers: [
      ['Via', 'SIP/2.0/TLS edge.example:5061;branch=z9hG4bK-edge'],
      ['Via', 'SIP/2.0/TLS alice.example;branch=z9hG4bK-alice'],
      ...behind.map((route) => ['Record-Route', route] as const),
      ['Record-Route', '<sip:token@edge.example:5061;transport=tls;lr>'],
      ['Record-Route', '<sip:first.example;lr>'],
      ['From', '"Alice" <sip:alice@example.com>;tag=a'],
      ['To', to],
      ['Contact', '<sip:hidden@edge.example>'],
      ['Call-ID', 'the-call'],
      ['CSeq', `${cseq} INVITE`],
    ],
  });
}
/** Of a target, which copies the routes that it sees. */
function accepted(came: Buffer, contact: Headers = [CONTACT], toTag = 'b'): SipResponse {
  const response = read(buildResponse(readRequest(came), 200, { toTag, headers: contact }));
  assert(response instanceof SipResponse);
  return response;
}
const CONTACT = ['Contact', '<sip:bob@198.51.100.7:5061;transport=tls>'] as const;

it('is the ACK and the BYE that the caller would have sent, on the way that begins behind us', () => {
  const dismissal = dismissalOf(invite(), accepted(invite(['<sip:last.partner.example;lr>'])));
  assert(dismissal !== undefined);
  const [ack, bye] = [readRequest(dismissal.ack), readRequest(dismissal.bye)];
  for (const request of [ack, bye]) {
    assert.equal(request.uri, 'sip:bob@198.51.100.7:5061;transport=tls');
    assert.deepEqual(request.values('Route'), ['<sip:last.partner.example;lr>']);
    assert.deepEqual(
      [request.from.uri, request.from.tag, request.to.uri, request.to.tag, request.callId],
      ['sip:alice@example.com', 'a', 'sip:bob@partner.example', 'b', 'the-call'],
    );
    assert.deepEqual(
      request.vias().map(({ host, port }) => `${host} ${port}`),
      ['edge.example 5061'],
    );
    assert.deepEqual([request.has('Record-Route'), request.has('Contact')], [false, false]);
  }
  assert.equal(ack.cseq.number, 20);
  // What the caller has sent before the answer, PRACK or UPDATE, has counted on.
  assert.ok(bye.cseq.number > 20 + 100);
  assert.equal(bye.topVia.branch, dismissal.byeBranch);
  assert.equal(new Set([ack.topVia.branch, bye.topVia.branch, 'z9hG4bK-edge']).size, 3);
});

it('is another one for each of several that accepted', () => {
  const sent = invite();
  const of = (tag: string) => dismissalOf(sent, accepted(sent, [CONTACT], tag))?.byeBranch;
  assert.notEqual(of('one'), of('two'));
});

it('goes to a strict router by its own URI, with the target last', () => {
  const dismissal = dismissalOf(invite(), accepted(invite(['<sip:strict.partner.example>'])));
  assert(dismissal !== undefined);
  const bye = readRequest(dismissal.bye);
  assert.equal(bye.uri, 'sip:strict.partner.example');
  assert.deepEqual(bye.values('Route'), ['<sip:bob@198.51.100.7:5061;transport=tls>']);
});

it('is none within a dialog, without a Contact, without a number for the BYE, and for what is no request', () => {
  const within = invite([], `${BOB};tag=b`);
  assert.equal(dismissalOf(within, accepted(within)), undefined);
  const sent = invite();
  assert.equal(dismissalOf(sent, accepted(sent, [])), undefined);
  const last = (cseq: number) => dismissalOf(invite([], BOB, cseq), accepted(invite([], BOB, cseq)));
  assert.equal(last(2 ** 31 - 1001), undefined);
  assert.equal(last(2 ** 31 - 1), undefined);
  const bye = readRequest(last(2 ** 31 - 1002)?.bye ?? assert.fail('one is left'));
  assert.equal(bye.cseq.number, 2 ** 31 - 1);
  assert.equal(dismissalOf(Buffer.from('no request'), accepted(sent)), undefined);
});
