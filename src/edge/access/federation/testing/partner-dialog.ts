import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { SipRequest, SipResponse } from '#protocols/sip';
import type { AccessLab } from '../../testing/lab.ts';
import { request } from '../../testing/messages.ts';
import { dialogResponse, passBack } from '../../testing/plays.ts';
import type { SipPeer } from '../../testing/sip-peer.ts';
import { fromAlice, fromBob, startFederation, TestPartner } from './partners.ts';

/** What the partner's side and ours record of themselves. */
const THEIR_PROXY = '<sip:sip.partner.example:5061;transport=tls;lr>';
const OUR_PROXY = '<sip:tok@fe1.corp.example:5061;lr>';
const PHONE = 'sip:bob@phone.partner.example:5061;transport=tls';
const DEVICE = 'sip:alice@10.45.1.7:5061';
const BOB = 'sip:bob@partner.example';
const ALICE = 'sip:alice@example.com';

type Fields = Readonly<Record<string, string>>;

/** A partner that has dialled the edge and waits to be dialled: what it sends and gets goes by one connection each. */
export class PartnerLine {
  readonly lab: AccessLab;
  readonly fe: SipPeer;
  /** What the partner sends by. */
  readonly sending: SipPeer;
  readonly #partner: TestPartner;
  #receiving: SipPeer | undefined;

  private constructor(lab: AccessLab, fe: SipPeer, partner: TestPartner, sending: SipPeer) {
    this.lab = lab;
    this.fe = fe;
    this.#partner = partner;
    this.sending = sending;
  }
  static async open(t: TestContext): Promise<PartnerLine> {
    const { lab, fe } = await startFederation(t);
    const partner = await TestPartner.create(t, lab);
    await partner.listen();
    return new PartnerLine(lab, fe, partner, await partner.dials(lab));
  }
  /** The connection that the edge opens with its first request to the partner. */
  async receiving(): Promise<SipPeer> {
    this.#receiving ??= await this.#partner.connection();
    return this.#receiving;
  }
  /** Everything that the partner was ever shown. */
  get shown(): string {
    return this.sending.shown + (this.#receiving?.shown ?? '');
  }
}

/** How one end reaches the other, as its own route set and target have it. */
interface Way {
  readonly target: string;
  readonly route: string;
  readonly callId: string;
  /** Its own address and the other's, each with its tag. */
  readonly from: string;
  readonly to: string;
  cseq: number;
}

/** A dialog of bob, whom a partner serves, with alice inside: each end knows only what it was shown. */
export class PartnerDialog {
  readonly #line: PartnerLine;
  readonly #outside: Way;
  readonly #inside: Way;

  private constructor(line: PartnerLine, outside: Way, inside: Way) {
    this.#line = line;
    this.#outside = outside;
    this.#inside = inside;
  }

  /** Bob's request that begins one; gives what arrives inside. */
  static async bobBegins(line: PartnerLine, method: string, fields: Fields = {}): Promise<SipRequest> {
    const first = fromBob({ 'Record-Route': THEIR_PROXY, Contact: `<${PHONE}>`, ...fields });
    line.sending.sends(request(method, ALICE, first));
    return await line.fe.receivesRequest(method);
  }
  /** Alice's answer to it, which makes the dialog. */
  static async aliceAnswers(
    line: PartnerLine,
    first: SipRequest,
    status: number,
    fields: Fields = {},
  ): Promise<{ dialog: PartnerDialog; answer: SipResponse }> {
    const recorded = first.values('Record-Route');
    const routes = [OUR_PROXY, ...recorded].join(', ');
    const answered = { tag: 'alice', Contact: `<${DEVICE}>`, 'Record-Route': routes, ...fields };
    line.fe.sends(passBack(dialogResponse(first, status, answered).toString()));
    const answer = await line.sending.receives(status);
    const outside: Way = {
      target: targetOf(answer),
      // What is left of its own route set when its proxies have had theirs.
      route: answer.values('Record-Route')[0] ?? '',
      callId: answer.callId,
      from: answer.header('From') ?? '',
      to: answer.header('To') ?? '',
      cseq: first.cseq.number,
    };
    const ends = { from: `${first.header('To')};tag=alice`, to: first.header('From') ?? '' };
    const inside = {
      target: targetOf(first),
      route: recorded.join(', '),
      callId: first.callId,
      ...ends,
      cseq: 100,
    };
    return { dialog: new PartnerDialog(line, outside, inside), answer };
  }

  /** Alice's request that begins one; gives what arrives at the partner. */
  static async aliceBegins(line: PartnerLine, method: string, fields: Fields = {}): Promise<SipRequest> {
    const first = fromAlice({ 'Record-Route': OUR_PROXY, Contact: `<${DEVICE}>`, ...fields });
    line.fe.sends(request(method, BOB, first));
    return await (await line.receiving()).receivesRequest(method);
  }
  static async bobAnswers(
    line: PartnerLine,
    first: SipRequest,
    status: number,
    fields: Fields = {},
  ): Promise<{ dialog: PartnerDialog; answer: SipResponse }> {
    const [ours = ''] = first.values('Record-Route');
    const answered = {
      tag: 'bob',
      Contact: `<${PHONE}>`,
      'Record-Route': `${THEIR_PROXY}, ${ours}`,
      ...fields,
    };
    (await line.receiving()).sends(dialogResponse(first, status, answered));
    const answer = await line.fe.receives(status);
    const [theirs = '', external = '', internal = '', inner = ''] = answer.values('Record-Route');
    assert.equal(inner, OUR_PROXY);
    const outside: Way = {
      target: targetOf(first),
      route: ours,
      callId: first.callId,
      from: `${first.header('To')};tag=bob`,
      to: first.header('From') ?? '',
      cseq: 100,
    };
    const inside: Way = {
      target: targetOf(answer),
      route: [internal, external, theirs].join(', '),
      callId: answer.callId,
      from: answer.header('From') ?? '',
      to: answer.header('To') ?? '',
      cseq: answer.cseq.number,
    };
    return { dialog: new PartnerDialog(line, outside, inside), answer };
  }

  /** The partner sends within the dialog; gives what arrives inside. */
  async outsideSends(method: string, fields: Fields = {}): Promise<SipRequest> {
    const { Via } = fromBob();
    this.#line.sending.sends(
      within(this.#outside, method, { Via: String(Via), Contact: `<${PHONE}>`, ...fields }),
    );
    const arrived = await this.#line.fe.receivesRequest(method);
    assert.equal(arrived.uri, DEVICE);
    assert.deepEqual(arrived.values('Route'), [OUR_PROXY]);
    assert.equal(arrived.callId, this.#inside.callId);
    return arrived;
  }
  /** The inside sends within the dialog; gives what arrives at the partner. */
  async insideSends(method: string, fields: Fields = {}): Promise<SipRequest> {
    const [top] = [fromAlice().Via].flat();
    const more = { Via: String(top), Contact: `<${DEVICE}>`, ...fields };
    this.#line.fe.sends(within(this.#inside, method, more));
    const arrived = await (await this.#line.receiving()).receivesRequest(method);
    assert.equal(arrived.uri, PHONE);
    assert.deepEqual(arrived.values('Route'), [THEIR_PROXY]);
    assert.equal(arrived.callId, this.#outside.callId);
    return arrived;
  }
  /** A whole request and its answer. */
  async outsideAsks(method: string, fields: Fields = {}, status = 200): Promise<SipRequest> {
    const arrived = await this.outsideSends(method, fields);
    this.#line.fe.answers(arrived, status);
    await this.#line.sending.receives(status);
    return arrived;
  }
  async insideAsks(method: string, fields: Fields = {}, status = 200): Promise<SipRequest> {
    const arrived = await this.insideSends(method, fields);
    (await this.#line.receiving()).answers(arrived, status);
    await this.#line.fe.receives(status);
    return arrived;
  }
}

function within(way: Way, method: string, fields: Fields): Buffer {
  if (method !== 'ACK') way.cseq += 1;
  return request(method, way.target, {
    From: way.from,
    To: way.to,
    'Call-ID': way.callId,
    CSeq: `${way.cseq} ${method}`,
    Route: way.route,
    ...fields,
  });
}

function targetOf(message: SipRequest | SipResponse): string {
  return /<([^>]+)>/.exec(message.header('Contact') ?? '')?.[1] ?? assert.fail('no Contact');
}
