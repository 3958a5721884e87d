import type { Clock, Monotonic, Random } from '#kernel';
import { randomToken } from '#kernel';
import type { Resolver } from '#platform/dns';
import type { Connection } from '#platform/net';
import type { EventStream, Log, Metrics, Trace } from '#platform/telemetry';
import { type Arrival, type Confirm, type Undelivered, XmppEndpoint } from '#platform/xmpp-endpoint';
import { type GatewayArrival, GatewayLinks } from '#platform/xmpp-link';
import type { XmlElement } from '#protocols/xml';
import { type DomainPair, isReadOnce, returnedKindOf } from '#protocols/xmpp';
import { endpointSettings, linkSettings } from './endpoint-settings.ts';
import type { ProxyMetrics } from './metrics.ts';
import { Budgets } from './policy/budgets.ts';
import { pingFor } from './policy/iq-answers.ts';
import { judgeInward, judgeOutward } from './policy/judge.ts';
import type { XmppPartner } from './policy/partner-table.ts';
import type { Refusal } from './policy/refusals.ts';
import { errorFor, returnFor } from './policy/stanza-errors.ts';
import type { Prepared } from './prepared.ts';
import { ProxyEvents } from './proxy-events.ts';

export interface ProxyContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly events: EventStream;
  readonly resolver: Resolver;
  readonly confirm: Confirm;
  readonly meters: ProxyMetrics;
}

const TOKEN_LENGTH = 16;
const REPLY_MS = 20_000;
/**
 * So long a partner may hold up what it has not acknowledged. A link acknowledges in order, so that one partner that never
 * says anything would hold up those of all others: after this time the gateway hears that a message is held.
 */
const HOLD_MS = 3000;
/** Broken streams with one domain are told no more often; a gateway waits longer before it acts on it. */
const BROKEN_MS = 1000;
const UNDELIVERED: Readonly<Record<Undelivered, Refusal>> = {
  'remote-server-not-found': 'partner-not-found',
  'remote-server-timeout': 'partner-not-reached',
  'resource-constraint': 'partner-busy',
  'delivery-unknown': 'delivery-unknown',
};

/**
 * Between partners outside and gateways inside. A stanza of a partner is acknowledged to it when a gateway has
 * acknowledged it, or when it was refused; a stanza of a gateway, when the partner has taken it over, or when the
 * gateway has the answer to it.
 */
export class XmppProxy {
  readonly endpoint: XmppEndpoint;
  readonly links: GatewayLinks;
  readonly #context: ProxyContext;
  readonly #budgets: Budgets;
  readonly #events: ProxyEvents;
  /** Of stanzas of our own towards gateways. */
  readonly #stream: string;
  /** Pings that partners have not answered, by id. */
  readonly #asked = new Map<string, (answer: XmlElement | undefined) => void>();
  /** Domains of partners for which something went back, or waited for long, since a stream to them was opened. */
  readonly #returned = new Set<string>();
  /** When gateways were told last that a stream with a domain of a partner broke. */
  readonly #broken = new Map<string, Monotonic>();
  #answers = 0;
  #prepared: Prepared;

  constructor(context: ProxyContext, prepared: Prepared) {
    const { clock, random, log, metrics, events, resolver, confirm } = context;
    this.#context = context;
    this.#prepared = prepared;
    this.#events = new ProxyEvents(events);
    this.#stream = `edge-${randomToken(random, TOKEN_LENGTH)}`;
    this.#budgets = new Budgets(prepared.document.policy.xmpp.limits);
    this.endpoint = new XmppEndpoint(
      {
        clock,
        random,
        log,
        metrics,
        events,
        resolver,
        user: {
          handleArrival: (arrival) => this.#handleArrival(arrival),
          handleNotice: (notice) => this.#events.streamEnded(notice),
          handleStream: (domain, state) => this.#handleStream(domain, state),
        },
      },
      endpointSettings(prepared, clock, confirm),
    );
    this.links = new GatewayLinks({ clock, random, metrics }, linkSettings(prepared), {
      handleArrival: (arrival) => this.#handleGateway(arrival),
      handleReady: (gateway, address) => this.#events.gatewayConnected(gateway, address),
      handleEnd: (notice) => this.#events.gatewayLeft(notice),
    });
  }

  get prepared(): Prepared {
    return this.#prepared;
  }
  adopt(prepared: Prepared): void {
    this.#prepared = prepared;
    this.#budgets.configure(prepared.document.policy.xmpp.limits);
    this.endpoint.configure(endpointSettings(prepared, this.#context.clock, this.#context.confirm));
    this.links.configure(linkSettings(prepared));
    for (const known of [this.#returned, this.#broken])
      for (const domain of known.keys()) if (prepared.partners.of(domain) === undefined) known.delete(domain);
  }
  acceptLink(connection: Connection): boolean {
    if (this.links.accept(connection)) return true;
    this.#events.gatewayRefused(connection.remote.address);
    return false;
  }
  /** Partners and gateways go to other edges; what is under way arrives. */
  drain(): void {
    this.endpoint.drain();
    this.links.drain();
  }
  /** Gateways open their links again, and use this edge as before. */
  undrain(): void {
    this.endpoint.undrain();
    this.links.leave();
  }
  /** Stanzas that would be lost to their senders' next attempt. */
  get pending(): number {
    return this.endpoint.pending + this.links.pending;
  }
  close(): void {
    this.endpoint.close();
    this.links.close();
    for (const settle of this.#asked.values()) settle(undefined);
  }

  /** Asks a partner's server for a sign of life, on a stream of its own, and tells every step; true when it answered. */
  async ping(pair: DomainPair, trace: Trace): Promise<boolean> {
    const id = `ping-${randomToken(this.#context.random, TOKEN_LENGTH)}`;
    const { promise, resolve } = Promise.withResolvers<XmlElement | undefined>();
    this.#asked.set(id, resolve);
    const { sent, end } = await this.endpoint.trial(pair, pingFor(pair.from, pair.to, id), trace);
    const tell = trace.begin('answer');
    const cancel = this.#context.clock.after(REPLY_MS, () => resolve(undefined));
    const answer = sent ? await promise : undefined;
    cancel();
    this.#asked.delete(id);
    end();
    if (!sent) return false;
    const how =
      answer?.attributes.get('type') === 'error' ? 'an error, as servers without XEP-0199 do' : 'yes';
    tell(answer !== undefined, answer === undefined ? 'no answer to a ping' : `a ping was answered: ${how}`);
    return answer !== undefined;
  }

  #handleArrival(arrival: Arrival): void {
    const { stanza, pair, done } = arrival;
    const partner = this.#prepared.partners.of(pair.from);
    if (partner === undefined) return this.#refuse(arrival, pair.from, 'not-a-partner');
    const verdict = judgeInward(stanza);
    if (verdict.outcome === 'reply') {
      const settle = this.#asked.get(verdict.id);
      if (settle === undefined) return this.#refuse(arrival, partner.name, 'iq-answer-unasked');
      settle(stanza);
      done();
      return;
    }
    const beyond = this.#budgets.take(partner.name, stanza, this.#context.clock.now());
    if (beyond !== undefined) return this.#refuse(arrival, partner.name, beyond);
    if (verdict.outcome === 'refuse') return this.#refuse(arrival, partner.name, verdict.refusal);
    if (verdict.outcome === 'answer') {
      this.#context.meters.answered.inc();
      this.#answer(verdict.answer, pair, () => {});
      done();
      return;
    }
    this.#pass(arrival, partner);
  }

  #pass(arrival: Arrival, { name: partner, type }: XmppPartner): void {
    const { stanza, streamId: stream, number, done } = arrival;
    this.links.send(stanza, { stream, number, partner, type }, (failed) => {
      if (failed !== undefined)
        return this.#refuse(arrival, partner, failed === 'unknown' ? 'delivery-unknown' : 'no-gateway');
      this.#context.meters.passed.inc('inward');
      done();
    });
  }
  #refuse({ stanza, pair, done }: Arrival, partner: string, refusal: Refusal): void {
    this.#context.meters.refusedFromPartners.inc(refusal);
    this.#events.refused('inward', partner, stanza, refusal);
    const error = errorFor(stanza, refusal);
    if (error === undefined) return done();
    // Until the partner has the answer, it is to know that its stanza is not acknowledged; but not for ever.
    let said = false;
    const once = () => {
      if (!said) done();
      said = true;
    };
    const cancel = this.#context.clock.after(HOLD_MS, once);
    this.#answer(error, pair, () => {
      cancel();
      once();
    });
  }
  /** Back to a partner. */
  #answer(answer: XmlElement, { from, to }: DomainPair, settled: () => void): void {
    this.endpoint.send(answer, { from: to, to: from }, settled);
  }

  #handleGateway(arrival: GatewayArrival): void {
    const { stanza, pair, done } = arrival;
    const partner = this.#prepared.partners.of(pair.to);
    if (partner === undefined) return this.#return(arrival, pair.to, 'not-a-partner');
    const verdict = judgeOutward(stanza);
    if (verdict.outcome === 'refuse') return this.#return(arrival, partner.name, verdict.refusal);
    let said = false;
    const once = () => {
      if (!said) done();
      said = true;
    };
    const cancel = this.#context.clock.after(HOLD_MS, () => {
      if (!this.endpoint.carries(pair)) this.#returned.add(pair.to);
      if (isReadOnce(stanza)) arrival.hold();
      else once();
    });
    this.endpoint.send(stanza, pair, (failed) => {
      cancel();
      if (failed !== undefined)
        return this.#return({ ...arrival, done: once }, partner.name, UNDELIVERED[failed]);
      this.#context.meters.passed.inc('outward');
      once();
    });
  }
  /** Tells the sender inside; its stanza is done with when a gateway has taken the answer over. */
  #return({ stanza, pair, done }: GatewayArrival, partner: string, refusal: Refusal): void {
    this.#context.meters.refusedFromGateways.inc(refusal);
    this.#events.refused('outward', partner, stanza, refusal);
    const [error, undelivered] = [returnFor(stanza, refusal), returnedKindOf(stanza)];
    if (error === undefined || undelivered === undefined) return done();
    // What comes back will be tried again: the gateway hears when that is worth it.
    if (this.#prepared.partners.of(pair.to) !== undefined) this.#returned.add(pair.to);
    this.#answers += 1;
    const type = this.#prepared.partners.of(pair.to)?.type ?? 'public-unverified';
    const fate = refusal === 'delivery-unknown' ? ({ fate: 'unknown' } as const) : {};
    const origin = { stream: this.#stream, number: this.#answers, partner, type, undelivered, ...fate };
    this.links.send(error, origin, () => done());
  }
  #handleStream(domain: string, state: 'open' | 'broken'): void {
    if (this.#prepared.partners.of(domain) === undefined) return;
    if (state === 'open' && !this.#returned.delete(domain)) return;
    const now = this.#context.clock.now();
    if (state === 'broken' && now - (this.#broken.get(domain) ?? Number.NEGATIVE_INFINITY) < BROKEN_MS)
      return;
    if (state === 'broken') this.#broken.set(domain, now);
    this.links.tellPartner(domain, state);
  }
}
