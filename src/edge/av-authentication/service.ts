import { type Cancel, ok, type Result, TokenBucket } from '#kernel';
import { type Connection, Strangers, TlsAcceptor, type TlsLimits } from '#platform/net';
import { matchName } from '#platform/pki';
import type { Health, Provision, Service, ServiceContext, ServiceDefinition } from '#platform/service';
import { SipEndpoint, type SipFlow } from '#platform/sip-endpoint';
import { type Counter, RateWindow } from '#platform/telemetry';
import type { EdgeDocument } from '#platform/topology';
import type { ServerTransaction, SipRequest, SipUri } from '#protocols/sip';
import { answerRequest, type Outcome, outcomes } from './answer.ts';
import { answerEvent, callerEvent } from './events.ts';
import { readSettings, type Settings } from './settings.ts';
import { verbsOf } from './verbs.ts';

const HANDSHAKE_MS = 10_000;
/** Answers wait for a caller that does not read, at most this many bytes of them. */
const OUTBOUND_BYTES = 1 << 20;
/** One request may keep the others waiting for so long; nobody asks for so much honestly. */
const LONGEST_ANSWER_MS = 1_000;
/** Key health indicator: bad requests a second, from where on something is wrong, as a mean of so many seconds. */
const BAD_REQUESTS_BOUND = 20;
const WINDOW_SECONDS = 15;

export const service: ServiceDefinition<EdgeDocument> = {
  name: 'av-authentication',
  title: 'A/V Authentication service',
  create: (context) => new AvAuthentication(context),
};

interface Meters {
  readonly answers: Counter<Outcome>;
  readonly issued: Counter;
  readonly refusedCallers: Counter;
}

function declareMeters({ metrics }: ServiceContext): Meters {
  return {
    answers: metrics.counter('sallyport_av_authentication_answers_total', 'Requests answered, by outcome.', {
      name: 'outcome',
      values: outcomes,
    }),
    issued: metrics.counter(
      'sallyport_av_authentication_credentials_issued_total',
      'Relay credentials issued.',
    ),
    refusedCallers: metrics.counter(
      'sallyport_av_authentication_callers_refused_total',
      'Connections of verified peers that are not among the callers.',
    ),
  };
}

/** Issues relay credentials to listed internal servers, over SIP and mutual TLS (port row int-05). */
class AvAuthentication implements Service<EdgeDocument> {
  readonly verbs: Service<EdgeDocument>['verbs'];
  readonly #context: ServiceContext;
  readonly #meters: Meters;
  readonly #endpoint: SipEndpoint;
  readonly #strangers: Strangers;
  /** Of the callers that have asked, by their listed names. */
  readonly #budgets = new Map<string, TokenBucket>();
  readonly #badRequests = new RateWindow(WINDOW_SECONDS);
  #cancelSample: Cancel = () => {};
  #settings: Settings | undefined;
  #acceptor: TlsAcceptor | undefined;
  #draining = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#strangers = new Strangers(context.log, 'SLP-AV-0207', 'caller not listed');
    this.#meters = declareMeters(context);
    const { clock, random, log, metrics, events } = context;
    this.#endpoint = new SipEndpoint({
      clock,
      random,
      log,
      metrics,
      events,
      name: 'av_authentication_sip',
      user: {
        onRequest: (request, flow, transaction) => this.#handleRequest(request, flow, transaction),
        onAck: () => {},
        onCancel: () => {},
        onFlowClosed: () => {},
      },
    });
    this.verbs = verbsOf(this.#inspection());
    metrics.observe(
      'sallyport_av_authentication_bad_requests_per_second',
      'Requests that got no credentials, those apart that were told that the server is busy.',
      () => this.#badRequests.perSecond,
    );
    this.#sample();
  }

  async provision(document: EdgeDocument): Promise<Result<Provision>> {
    const settings = readSettings(document, this.#context.clock.wall());
    if (!settings.ok) return settings;
    return ok({
      commit: async () => this.#commit(settings.value),
      abandon: async () => {},
    });
  }

  health(): Health {
    if (this.#settings === undefined) return { ok: false, detail: 'no document yet' };
    const issued = this.#meters.issued.value();
    const { perSecond } = this.#badRequests;
    const beyond = perSecond < BAD_REQUESTS_BOUND ? '' : `, ${Math.round(perSecond)} bad requests/s`;
    return {
      ok: true,
      detail: `${this.#endpoint.flowCount} callers connected, ${issued} credentials issued${beyond}`,
    };
  }

  drain(): void {
    this.#draining = true;
  }
  undrain(): void {
    this.#draining = false;
  }
  /** Every request is answered at once, so that nothing is ever under way. */
  remaining(): number {
    return 0;
  }

  async stop(): Promise<void> {
    this.#cancelSample();
    this.#endpoint.close();
    await this.#acceptor?.close();
  }

  #sample(): void {
    const { clock } = this.#context;
    const bad = outcomes.filter((outcome) => outcome !== 'OK' && outcome !== 'Server Busy');
    const total = bad.reduce((sum, outcome) => sum + this.#meters.answers.value(outcome), 0);
    this.#badRequests.sample(total, clock.now());
    this.#cancelSample = clock.after(1_000, () => this.#sample());
  }

  #commit(settings: Settings): void {
    this.#settings = settings;
    this.#budgets.clear();
    if (this.#acceptor === undefined) this.#acceptor = this.#makeAcceptor(settings);
    else this.#acceptor.update({ ...settings, limits: limitsOf(settings) });
    for (const listener of this.#context.sockets.plan()) {
      this.#context.sockets.tcp(listener.id, this.#acceptor.handle);
    }
    for (const flow of [...this.#endpoint.flows()]) this.#recheck(flow);
  }

  #makeAcceptor(settings: Settings): TlsAcceptor {
    const { clock, log, metrics, events } = this.#context;
    return new TlsAcceptor({
      credentials: settings.credentials,
      trust: settings.trust,
      clientCertificate: 'required',
      handshakeMs: HANDSHAKE_MS,
      limits: limitsOf(settings),
      clock,
      log,
      metrics,
      events,
      accept: (connection) => this.#handleConnection(connection),
    });
  }

  #handleConnection(connection: Connection): void {
    if (this.#callerOf(connection) !== undefined) {
      this.#endpoint.addFlow(connection);
      return;
    }
    this.#meters.refusedCallers.inc();
    const stranger = this.#strangers.tell(connection);
    if (stranger !== undefined) {
      this.#context.events.emit(callerEvent(stranger.subject, stranger.address));
    }
    connection.destroy('policy');
  }

  /** The listed name that the peer's certificate asserts. */
  #callerOf(connection: Connection): string | undefined {
    const peer = connection.tls?.peer;
    return peer === undefined ? undefined : matchName(peer.names, this.#settings?.callers ?? []);
  }

  /** A reload may have taken a caller off the list. */
  #recheck(flow: SipFlow): void {
    if (this.#callerOf(flow.connection) === undefined) this.#endpoint.closeFlow(flow, 'policy');
  }

  #handleRequest(request: SipRequest, flow: SipFlow, transaction: ServerTransaction): void {
    const settings = this.#settings;
    if (settings === undefined) throw new Error('a request before the first document');
    const { clock, log } = this.#context;
    const begun = clock.now();
    const answer = answerRequest(request, settings.authority, {
      wall: clock.wall(),
      busy: this.#draining || !this.#isWithinBudget(flow, settings),
      mayAsk: (from) => mayAsk(flow.connection, from, settings),
      overdue: () => clock.now() - begun > LONGEST_ANSWER_MS,
    });
    this.#meters.answers.inc(answer.outcome);
    if (answer.issued > 0) this.#meters.issued.inc(answer.issued);
    if (answer.fault !== undefined) {
      log.error('credentials not made', { code: 'SLP-AV-0550', error: String(answer.fault) });
    }
    this.#context.events.emit(answerEvent(request, answer));
    const { status, headers, body } = answer;
    this.#endpoint.respond(transaction, status, { headers, ...(body === undefined ? {} : { body }) });
  }

  #isWithinBudget(flow: SipFlow, { requestsPerSecond: rate }: Settings): boolean {
    const caller = this.#callerOf(flow.connection) ?? '';
    const now = this.#context.clock.now();
    const budget = this.#budgets.get(caller) ?? new TokenBucket(rate, rate, now);
    this.#budgets.set(caller, budget);
    return budget.take(now);
  }

  #inspection() {
    const meters = this.#meters;
    const endpoint = this.#endpoint;
    return {
      get connections() {
        return endpoint.flowCount;
      },
      get issued() {
        return meters.issued.value();
      },
      get refusedCallers() {
        return meters.refusedCallers.value();
      },
      answers: (outcome: Outcome) => meters.answers.value(outcome),
    };
  }
}

/** Callers vouch for users of our domains, for guests where there are any, and for themselves. */
function mayAsk({ tls }: Connection, from: SipUri, { domains, guests }: Settings): boolean {
  if (guests || domains.has(from.host.toLowerCase())) return true;
  return tls?.peer !== undefined && matchName(tls.peer.names, [from.host]) !== undefined;
}

function limitsOf({ connections }: Settings): TlsLimits {
  return { connections, handshakes: connections, perSource: connections, outboundBytes: OUTBOUND_BYTES };
}
