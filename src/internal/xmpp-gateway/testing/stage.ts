import assert from 'node:assert/strict';
import { SipSide } from '#platform/sip-agent';
import type { SipFlow } from '#platform/sip-endpoint';
import { Metrics } from '#platform/telemetry';
import { buildRequest, type SipRequest, type SipResponse } from '#protocols/sip';
import type { StanzaCondition } from '#protocols/sip-xmpp';
import { element, readXmlDocument, writeXml, type XmlElement } from '#protocols/xml';
import { NS, type PartnerType, partnerLimits, returnedKindOf } from '#protocols/xmpp';
import { MemoryNetwork, Peer } from '../../../platform/sip-endpoint/testing/memory-network.ts';
import { Gateway } from '../gateway.ts';
import type { GatewaySettings, RefusalNote, SendFailure } from '../gateway-context.ts';
import { gatewayMetrics } from '../gateway-metrics.ts';
import { GatewayStore } from '../gateway-store.ts';

export const ROMEO = 'romeo@sip.example';
export const JULIET = 'juliet@xmpp.example';
export const BALCONY = `${JULIET}/balcony`;

export const settings: GatewaySettings = {
  domains: new Set(['sip.example']),
  sessions: false,
  pageModeBytes: 1300,
  sessionIdleMs: 600_000,
  answerMs: 2000,
  subscriptionSeconds: 28_800,
  messages: 100,
  sessionsAtOnce: 100,
  subscriptions: 100,
  subscriptionsPerUser: 100,
  contactsPerUser: 100,
  partnerPercent: 100,
};

/** Numbers of stanzas; over all stages, for a second one may know what the first has seen. */
let stanzas = 1000;

export type Headers = readonly (readonly [string, string])[];

/** A request of a user of ours, as the front end brings it. */
export interface RequestWords {
  readonly headers?: Headers;
  readonly body?: string | Buffer;
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly fromTag?: string;
  readonly toTag?: string;
}

/**
 * The gateway between a front end and a proxy that do as the test says. A second stage on the first one's store and
 * network is the gateway after a restart.
 */
export class Stage {
  readonly network: MemoryNetwork;
  readonly store: GatewayStore;
  readonly gateway: Gateway;
  /** The next hop. */
  readonly sip: Peer;
  readonly refusals: RefusalNote[] = [];
  readonly metrics: Metrics;
  /** What the way to the partners says about a stanza. */
  failure: SendFailure | undefined;
  /** Nothing is said of what is sent from now on, until `settles`. */
  holds = false;
  readonly #held: ((failed: SendFailure | undefined) => void)[] = [];
  /** The proxy does not reach the partner: what is sent comes back with the next `comesBack` or `wait`. */
  away = false;
  readonly #back: XmlElement[] = [];
  settings: GatewaySettings;
  #reachable = true;
  readonly #sent: XmlElement[] = [];
  #calls = 0;

  constructor(change: Partial<GatewaySettings> = {}, before?: Stage) {
    this.settings = { ...settings, ...change };
    this.network = before?.network ?? new MemoryNetwork();
    this.metrics = new Metrics();
    this.store = before?.store ?? opened();
    const { clock, random, log } = this.network;
    const [ours, theirs] = this.network.pair();
    this.sip = new Peer(theirs);
    const endpoint = this.network.endpoint(
      {
        onRequest: (...heard) => this.gateway.onRequest(...heard),
        onAck: () => {},
        onCancel: () => {},
      },
      { metrics: this.metrics },
    );
    const flow = endpoint.addFlow(ours);
    assert.ok(flow !== undefined);
    const pool = poolOf(flow, () => this.#reachable);
    const own = { host: '10.0.0.2', port: 5061 };
    const sip = new SipSide({ clock, random, endpoint, pool, own });
    const xmpp = {
      send: (stanza: XmlElement, settled?: (failed: SendFailure | undefined) => void) => {
        this.#sent.push(stanza);
        if (this.away) this.#back.push(stanza);
        if (!this.holds) settled?.(this.failure);
        else if (settled !== undefined) this.#held.push(settled);
      },
    };
    const shared = { clock, random, log, metrics: gatewayMetrics(this.metrics), store: this.store };
    const refuse = (note: RefusalNote) => {
      shared.metrics.refused.inc(note.reason);
      this.refusals.push(note);
    };
    this.gateway = new Gateway({ ...shared, sip, xmpp, settings: () => this.settings, refuse }, '10.0.0.2');
    this.gateway.load();
  }

  /** The next hop is there, or is not. */
  set reachable(reachable: boolean) {
    this.#reachable = reachable;
  }

  /** A stanza of a partner arrives; gives whether it was acknowledged. */
  arrives(
    text: string,
    origin: {
      readonly type?: PartnerType;
      readonly stream?: string;
      readonly number?: number;
      readonly partner?: string;
    } = {},
  ): { readonly done: () => boolean } {
    const read = readXmlDocument(
      Buffer.from(text.replace(/^<(\w+)/, `<$1 xmlns='${NS.server}'`)),
      partnerLimits,
    );
    assert.ok(read.ok, text);
    let done = 0;
    stanzas += 1;
    this.gateway.handleArrival({
      stanza: read.value,
      pair: { from: 'xmpp.example', to: 'sip.example' },
      origin: {
        stream: origin.stream ?? 'stream',
        number: origin.number ?? stanzas,
        partner: origin.partner ?? 'xmpp.example',
        type: origin.type ?? 'federated',
      },
      edge: 'edge1.example',
      done: () => {
        done += 1;
      },
    });
    this.network.settle();
    return {
      done: () => {
        assert.ok(done < 2, 'acknowledged twice');
        return done === 1;
      },
    };
  }
  /** The proxy returns what it could not deliver, as its policy does; gives how many stanzas that were. */
  comesBack(condition: StanzaCondition = 'remote-server-timeout', fate?: 'unknown'): number {
    const back = this.#back.splice(0);
    for (const stanza of back) {
      const undelivered = returnedKindOf(stanza);
      if (undelivered === undefined) continue;
      const { from, to, id } = Object.fromEntries(stanza.attributes);
      const why = element(NS.server, 'error', { type: 'wait' }, [element(NS.stanzaErrors, condition)]);
      stanzas += 1;
      this.gateway.handleArrival({
        stanza: element(NS.server, stanza.name, { from: to, to: from, id, type: 'error' }, [why]),
        pair: { from: 'xmpp.example', to: 'sip.example' },
        origin: {
          stream: 'edge-1',
          number: stanzas,
          partner: 'xmpp.example',
          type: 'federated',
          undelivered,
          ...(fate === undefined ? {} : { fate }),
        },
        edge: 'edge1.example',
        done: () => {},
      });
    }
    this.network.settle();
    return back.length;
  }
  /** What was held has become what `failure` says. */
  settles(): void {
    for (const settled of this.#held.splice(0)) settled(this.failure);
    this.network.settle();
  }
  /** The stanzas sent since the last look, as text. */
  said(): string[] {
    return this.#sent.splice(0).map((stanza) => writeXml(stanza, NS.server));
  }
  sent(): XmlElement {
    const stanza = this.#sent.shift();
    assert.ok(stanza !== undefined, 'no stanza was sent');
    return stanza;
  }

  /** A user of ours sends a request; gives it as it was sent. */
  asks(method: string, words: RequestWords = {}): { readonly callId: string; readonly tag: string } {
    this.#calls += 1;
    const { from = `sip:${ROMEO}`, to = `sip:${JULIET}`, headers = [], cseq = 1 } = words;
    const callId = words.callId ?? `call${this.#calls}`;
    const tag = words.fromTag ?? `tag${this.#calls}`;
    this.sip.send(
      buildRequest({
        method,
        uri: to,
        headers: [
          ['Via', `SIP/2.0/TLS fe.example;branch=z9hG4bK-s${this.#calls}`],
          ['Max-Forwards', '70'],
          ['From', `<${from}>;tag=${tag}`],
          ['To', words.toTag === undefined ? `<${to}>` : `<${to}>;tag=${words.toTag}`],
          ['Call-ID', callId],
          ['CSeq', `${cseq} ${method}`],
          ['Contact', '<sip:romeo@10.0.0.9:5061;transport=tls>'],
          ...headers,
        ],
        body: Buffer.from(words.body ?? ''),
      }),
    );
    this.network.settle();
    return { callId, tag };
  }
  /** The next hop receives this request. */
  gets(method: string): SipRequest {
    return this.sip.takeRequest(method);
  }
  getsResponse(status: number): SipResponse {
    return this.sip.takeResponse(status);
  }
  answers(request: SipRequest, status: number, headers: Headers = []): void {
    this.sip.answer(request, status, headers);
    this.network.settle();
  }
  /** Nothing came to the next hop, and nothing went to the proxy. */
  isQuiet(): void {
    assert.deepEqual(this.sip.take(), []);
    assert.deepEqual(this.said(), []);
  }
  /** Time passes, second by second. */
  wait(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1000) {
      this.network.wait(Math.min(1000, ms - passed), 1000);
      this.gateway.sweep();
      this.network.settle();
      this.comesBack();
    }
  }
}

function opened(): GatewayStore {
  const store = GatewayStore.open(':memory:');
  assert.ok(store.ok);
  return store.value;
}

function poolOf(flow: SipFlow, reachable: () => boolean) {
  const member = {
    target: { name: 'fe.example', address: '127.0.0.1', port: 5061 },
    state: 'healthy' as const,
    reason: undefined,
    connections: 1,
    pending: 0,
  };
  return {
    memberFor: () => member,
    members: () => [member],
    whenOpen: (_member: unknown, use: (flow: SipFlow) => void, refused: (why: 'dial-failed') => void) =>
      reachable() ? use(flow) : refused('dial-failed'),
  };
}
