import assert from 'node:assert/strict';
import { type PresenceDocument, readPidf, readWatcherInfo, type WatcherInfo } from '#protocols/presence';
import { buildResponse, type SipRequest, type SipResponse, subscriptionStateOf } from '#protocols/sip';
import { request } from './messages.ts';
import { type Bench, branched, type Wire } from './wire.ts';

type Headers = readonly (readonly [string, string])[];
let count = 0;

export interface Ask {
  readonly expires?: number;
  readonly event?: string;
  readonly headers?: Headers;
  readonly callId?: string;
  readonly cseq?: number;
  /** The To tag; none for a request that begins a dialog. */
  readonly tag?: string;
  readonly uri?: string;
  readonly from?: string;
}

/** One side of the plays about presence: somebody on a wire, who watches and publishes. */
export class Actor {
  readonly bench: Bench;
  readonly wire: Wire;
  readonly address: string;

  constructor(bench: Bench, wire: Wire, address: string) {
    this.bench = bench;
    this.wire = wire;
    this.address = address;
  }
  /** Signed in on a connection of its own. */
  static arrives(bench: Bench, user: string): Actor {
    const { wire } = bench.client();
    const address = `${user}@example.test`;
    assert.equal(bench.signsIn(wire, address), 200);
    return new Actor(bench, wire, address);
  }

  /** SUBSCRIBE, and the final answer to it. */
  subscribes(to: string, ask: Ask = {}): SipResponse {
    count += 1;
    const { tag, event = 'presence' } = ask;
    const headers: (readonly [string, string])[] = [
      ['Event', event],
      ['Contact', `<sip:watcher@192.0.2.7:5070;transport=tls>`],
    ];
    if (ask.expires !== undefined) headers.push(['Expires', `${ask.expires}`]);
    const sketch = {
      method: 'SUBSCRIBE',
      uri: ask.uri ?? `sip:${to}`,
      from: ask.from ?? `sip:${this.address}`,
      to: `<sip:${to}>${tag === undefined ? '' : `;tag=${tag}`}`,
      callId: ask.callId ?? `s${count}`,
      cseq: ask.cseq ?? 1,
      headers: [...headers, ...(ask.headers ?? [])],
    };
    this.bench.arrives(this.wire, branched(request(sketch), `s${count}`));
    return this.wire.anyResponse();
  }
  /** Subscribes, is accepted, and hears the first NOTIFY. */
  watches(to: string, ask: Ask = {}): Watch {
    const answer = this.subscribes(to, ask);
    assert.equal(answer.status, 200);
    return new Watch(this, to, answer, ask);
  }
  /** PUBLISH for the own address, and the final answer. */
  publishes(
    document: string,
    headers: Headers = [],
    type = 'application/pidf+xml',
    event = 'presence',
  ): SipResponse {
    count += 1;
    const body = Buffer.from(document);
    const sketch = {
      method: 'PUBLISH',
      uri: `sip:${this.address}`,
      from: `sip:${this.address}`,
      callId: `p${count}`,
      headers: [
        ['Event', event],
        ...(document === '' ? [] : [['Content-Type', type]]),
        ...headers,
      ] as Headers,
      body,
    };
    this.bench.arrives(this.wire, branched(request(sketch), `p${count}`));
    return this.wire.anyResponse();
  }
  answers(notify: SipRequest, status = 200, headers: Headers = []): void {
    this.bench.arrives(this.wire, buildResponse(notify, status, { headers }));
  }
}

/** A subscription as its watcher sees it. */
export class Watch {
  readonly actor: Actor;
  readonly to: string;
  readonly callId: string;
  readonly tag: string;
  readonly ask: Ask;
  #cseq = 1;

  constructor(actor: Actor, to: string, answer: SipResponse, ask: Ask) {
    this.actor = actor;
    this.to = to;
    this.callId = answer.callId;
    this.tag = answer.to.tag ?? '';
    this.ask = ask;
  }
  /** A SUBSCRIBE within the dialog. */
  renews(expires: number, ask: Ask = {}): SipResponse {
    this.#cseq += 1;
    const { callId, tag } = this;
    return this.actor.subscribes(this.to, {
      ...this.ask,
      ...{ callId, tag, expires, cseq: this.#cseq, uri: 'sip:presence@127.0.11.2:5061;transport=tls' },
      ...ask,
    });
  }
  /** The next NOTIFY, answered. */
  hears(status = 200, headers: Headers = []): Heard {
    const heard = this.receives();
    this.actor.answers(heard.notify, status, headers);
    return heard;
  }
  /** The next NOTIFY, not answered yet. */
  receives(): Heard {
    const notify = this.actor.wire.request('NOTIFY');
    assert.equal(notify.callId, this.callId);
    assert.equal(notify.from.tag, this.tag);
    return new Heard(notify);
  }
}

export class Heard {
  readonly notify: SipRequest;
  constructor(notify: SipRequest) {
    this.notify = notify;
  }
  /** `active;expires=3600` */
  get state(): string {
    return this.notify.header('Subscription-State') ?? '';
  }
  get word(): string {
    return subscriptionStateOf(this.notify)?.state ?? '';
  }
  get presence(): PresenceDocument {
    const read = readPidf(this.notify.body);
    assert.ok(read.ok, this.notify.bytes.toString());
    return read.value;
  }
  /** The basic status of each tuple. */
  get basics(): string {
    return this.presence.tuples.map(({ basic }) => basic).join();
  }
  get watchers(): WatcherInfo {
    const read = readWatcherInfo(this.notify.body);
    assert.ok(read.ok, this.notify.bytes.toString());
    return read.value;
  }
}

/** A PIDF document with one tuple and a note. */
export function pidf(note: string, { id = 't1', basic = 'open', inside = '' } = {}): string {
  return (
    `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:somebody@example.test"><tuple id="${id}"><status>` +
    `<basic>${basic}</basic>${inside}</status><note>${note}</note></tuple></presence>`
  );
}
