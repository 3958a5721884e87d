import assert from 'node:assert/strict';
import {
  answerChallenge,
  buildRequest,
  buildResponse,
  Dialog,
  formatCredentials,
  parseChallenge,
  parseSipMessage,
  SipRequest,
  type SipResponse,
  sipLimits,
} from '#protocols/sip';
import type { ClientLine } from '../../../front-end/testing/client-line.ts';
import { PASSWORD } from '../../../front-end/testing/live-front-end.ts';
import { answerOf } from './focus-stage.ts';

type Headers = readonly (readonly [string, string])[];

const ACCEPT: Headers = [['Accept', 'application/vnd.sallyport.conference+json']];
let count = 0;

/** A client that joins conferences, over whatever line. */
export class ParticipantLine {
  readonly line: ClientLine;
  readonly address: string;
  readonly #name: string;
  #dialog: Dialog | undefined;
  #cseq = 0;

  constructor(line: ClientLine, address: string, name = '') {
    this.line = line;
    this.address = address;
    this.#name = name;
  }

  /** Digest with the account's password. */
  async signsIn(): Promise<void> {
    const user = this.address.split('@')[0] ?? '';
    const domain = this.address.split('@')[1] ?? '';
    await this.asks('REGISTER', `sip:${domain}`, { username: user, password: PASSWORD }, 200);
  }
  /** A request outside a dialog; a challenge is answered when there is something to answer it with. */
  async asks(
    method: string,
    uri: string,
    credentials: { readonly username: string; readonly password: string } | undefined,
    status: number,
    headers: Headers = [],
  ): Promise<{ readonly response: SipResponse; readonly request: SipRequest }> {
    count += 1;
    const callId = `call-${count}-${process.pid}`;
    let request = this.#send(method, uri, callId, headers);
    let response = await this.#final(method);
    const asked = response.status === 401 || response.status === 407;
    if (asked && credentials !== undefined) {
      const text = response.values('WWW-Authenticate')[0] ?? response.values('Proxy-Authenticate')[0] ?? '';
      const challenge = parseChallenge(text);
      assert.ok(challenge.ok, response.bytes.toString());
      const answer = answerChallenge(challenge.value, {
        ...credentials,
        method,
        uri,
        cnonce: 'c0ffee',
        nc: 1,
      });
      const field = response.has('WWW-Authenticate') ? 'Authorization' : 'Proxy-Authorization';
      request = this.#send(method, uri, callId, [...headers, [field, formatCredentials(answer)]]);
      response = await this.#final(method);
    }
    assert.equal(response.status, status, response.bytes.toString());
    return { response, request };
  }
  /** INVITE as somebody whom the front end knows, or, with a key, as a guest. */
  async joins(uri: string, key?: string) {
    const { response, request } = await this.asks('INVITE', uri, this.#key(uri, key), 200, ACCEPT);
    const dialog = Dialog.asUac(request, response);
    assert.ok(dialog.ok, response.bytes.toString());
    this.#dialog = dialog.value;
    this.line.sends(dialog.value.ack(request.cseq.number, { via: this.#via() }).bytes);
    return { answer: answerOf(response), response };
  }
  async isRefused(uri: string, status: number, key?: string): Promise<SipResponse> {
    const { response } = await this.asks('INVITE', uri, this.#key(uri, key), status, ACCEPT);
    assert.equal(response.body.length, 0);
    return response;
  }
  async subscribes(uri: string, key?: string): Promise<SipResponse> {
    const headers: Headers = [['Event', 'conference']];
    return (await this.asks('SUBSCRIBE', uri, this.#key(uri, key), 200, headers)).response;
  }
  async inDialog(method: string, status: number, headers: Headers = []): Promise<SipResponse> {
    assert.ok(this.#dialog !== undefined);
    const contact = ['Contact', this.#contact] as const;
    const request = this.#dialog.request(method, { via: this.#via(), headers: [contact, ...headers] });
    this.line.sends(request.bytes);
    const response = await this.line.response(status);
    if (method === 'INVITE') this.line.sends(this.#dialog.ack(request.cseq, { via: this.#via() }).bytes);
    return response;
  }
  /** A request of the focus, which is answered. */
  async hears(method: string): Promise<SipRequest> {
    const request = await this.line.request(method);
    this.line.sends(buildResponse(request, 200, { toTag: 'participant' }));
    return request;
  }

  #key(uri: string, key: string | undefined) {
    if (key === undefined) return undefined;
    return { username: uri.slice('sip:'.length, uri.indexOf('@')), password: key };
  }
  get #contact(): string {
    return `<sip:${this.address.split('@')[0]}@192.168.7.7:40001;transport=tls>`;
  }
  #via(): string {
    count += 1;
    return `SIP/2.0/TLS 192.168.7.7:40001;branch=z9hG4bKpart${count}${process.pid};rport`;
  }
  #send(method: string, uri: string, callId: string, headers: Headers): SipRequest {
    this.#cseq += 1;
    const to = method === 'REGISTER' ? `sip:${this.address}` : uri;
    const bytes = buildRequest({
      ...{ method, uri },
      headers: [
        ['Via', this.#via()],
        ['Max-Forwards', '70'],
        ['From', `${this.#name === '' ? '' : `"${this.#name}" `}<sip:${this.address}>;tag=p${this.#cseq}`],
        ['To', `<${to}>`],
        ['Call-ID', callId],
        ['CSeq', `${this.#cseq} ${method}`],
        ['Contact', this.#contact],
        ...headers,
      ],
    });
    this.line.sends(bytes);
    return parsedRequest(bytes);
  }
  /** The final response; one to an INVITE that refuses is acknowledged. */
  async #final(method: string): Promise<SipResponse> {
    const message = await this.line.next();
    assert.ok(message.kind === 'response', message.bytes.toString());
    if (method === 'INVITE' && message.status >= 300) this.line.sends(ackOf(message));
    return message;
  }
}

function parsedRequest(bytes: Buffer): SipRequest {
  const parsed = parseSipMessage(bytes, sipLimits);
  assert.ok(parsed.ok && parsed.value instanceof SipRequest);
  return parsed.value;
}

/** RFC 3261 §17.1.1.3, with what the response repeats of its request. */
function ackOf(response: SipResponse): Buffer {
  const field = (name: string): [string, string] => [name, response.header(name) ?? ''];
  return buildRequest({
    method: 'ACK',
    uri: response.to.uri,
    headers: [
      ['Via', response.values('Via')[0]?.replace(/;(received|rport)=[^;]*/g, '') ?? ''],
      ['Max-Forwards', '70'],
      ...['From', 'To', 'Call-ID'].map(field),
      ['CSeq', `${response.cseq.number} ACK`],
    ],
  });
}
