import assert from 'node:assert/strict';
import type { SipRequest, SipResponse } from '#protocols/sip';
import { request } from './messages.ts';
import { contactOf, dialogResponse } from './plays.ts';
import type { SipPeer } from './sip-peer.ts';

let branches = 0;
const branch = () => `z9hG4bKdialog${++branches}`;
const OWN_ROUTE = '<sip:fe1.corp.example;lr>';
const BOB = '<sip:bob@10.45.32.99:5061;transport=tls>';

type Fields = Readonly<Record<string, string>>;

/**
 * A dialog between a client outside and bob inside, as both see it: each knows its own route set and target only, so what
 * one sends and the other receives has to be put together by the edge.
 */
export class TestDialog {
  readonly #client: SipPeer;
  readonly #fe: SipPeer;
  readonly #user: string;
  readonly #callId: string;
  readonly #bobTag: string;
  readonly #outside: { readonly route: string; readonly target: string };
  readonly #inside: { readonly route: string; readonly target: string };
  #outsideCseq: number;
  #insideCseq = 100;

  constructor(
    [client, fe]: readonly [SipPeer, SipPeer],
    user: string,
    first: SipRequest,
    answer: SipResponse,
    bobTag: string,
  ) {
    this.#client = client;
    this.#fe = fe;
    this.#user = user;
    this.#callId = answer.callId;
    this.#bobTag = bobTag;
    this.#outsideCseq = Number(first.header('CSeq')?.split(' ')[0]);
    const route = answer.values('Record-Route').reverse().join(', ');
    const target = /<([^>]+)>/.exec(answer.header('Contact') ?? '')?.[1] ?? assert.fail('no Contact');
    this.#outside = { route, target };
    this.#inside = { route: first.values('Record-Route').join(', '), target: contactOf(user) };
  }

  /** The request that begins a dialog. */
  static begins(client: SipPeer, user: string, method: string, callId: string, fields: Fields = {}): void {
    const address = `<sip:${user}@example.com>`;
    client.sends(
      request(method, 'sip:bob@example.com', {
        Via: `SIP/2.0/TLS 192.168.1.5:40001;branch=${branch()};rport`,
        From: `${address};tag=${user}`,
        To: '<sip:bob@example.com>',
        'Call-ID': callId,
        Contact: `<${contactOf(user)}>`,
        ...fields,
      }),
    );
  }
  /** What bob answers, by way of a proxy of the inside that records its own route. */
  static answer(first: SipRequest, status: number, tag = 'bob', fields: Fields = {}): Buffer {
    const routes = [OWN_ROUTE, ...first.values('Record-Route')].join(', ');
    return dialogResponse(first, status, { tag, Contact: BOB, 'Record-Route': routes, ...fields });
  }

  /** The client sends within the dialog; gives what arrives inside. */
  async outsideSends(method: string, fields: Fields = {}): Promise<SipRequest> {
    const user = `<sip:${this.#user}@example.com>;tag=${this.#user}`;
    if (method !== 'ACK') this.#outsideCseq += 1;
    this.#client.sends(
      request(method, this.#outside.target, {
        Via: `SIP/2.0/TLS 192.168.1.5:40001;branch=${branch()};rport`,
        From: user,
        To: `<sip:bob@example.com>;tag=${this.#bobTag}`,
        'Call-ID': this.#callId,
        CSeq: `${this.#outsideCseq} ${method}`,
        Route: this.#outside.route,
        ...fields,
      }),
    );
    const arrived = await this.#fe.receivesRequest(method);
    assert.equal(arrived.uri, 'sip:bob@10.45.32.99:5061;transport=tls');
    assert.deepEqual(arrived.values('Route'), [OWN_ROUTE]);
    return arrived;
  }
  /** Bob sends within the dialog; gives what arrives outside. */
  async insideSends(method: string, fields: Fields = {}): Promise<SipRequest> {
    if (method !== 'ACK') this.#insideCseq += 1;
    this.#fe.sends(
      request(method, this.#inside.target, {
        Via: `SIP/2.0/TLS fe1.corp.example:5061;branch=${branch()}`,
        From: `<sip:bob@example.com>;tag=${this.#bobTag}`,
        To: `<sip:${this.#user}@example.com>;tag=${this.#user}`,
        'Call-ID': this.#callId,
        CSeq: `${this.#insideCseq} ${method}`,
        Route: this.#inside.route,
        Contact: BOB,
        ...fields,
      }),
    );
    const arrived = await this.#client.receivesRequest(method);
    assert.ok(!arrived.has('Route'), 'the client is the last one');
    return arrived;
  }
  /** A whole request and its answer, from outside. */
  async outsideAsks(method: string, fields: Fields = {}, status = 200): Promise<SipRequest> {
    const arrived = await this.outsideSends(method, fields);
    this.#fe.answers(arrived, status);
    await this.#client.receives(status);
    return arrived;
  }
  async insideAsks(method: string, fields: Fields = {}, status = 200): Promise<SipRequest> {
    const arrived = await this.insideSends(method, fields);
    this.#client.answers(arrived, status);
    await this.#fe.receives(status);
    return arrived;
  }
}
