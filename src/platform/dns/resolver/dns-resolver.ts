import { isIP } from 'node:net';
import { type Clock, err, type Monotonic, ok, type Random, type Result } from '#kernel';
import { type Counter, type EventStream, LEVEL, type Metrics } from '#platform/telemetry';
import { AnswerCache, type CacheLimits } from './answer-cache.ts';
import { networkWire, type ServerPlace, type Wire } from './dns-sockets.ts';
import {
  Exchange,
  type ExchangeAction,
  type ExchangeLimits,
  type ExchangeOutcome,
  type Transport,
} from './exchange.ts';
import { type LookUpFailure, lookUpFailure, lookUpReasons } from './failure.ts';
import { answerDrops } from './message.ts';
import {
  type Question,
  questionKey,
  questionName,
  type RecordType,
  type RecordValues,
  type ServiceRecord,
} from './question.ts';

/** Values for a question, never empty. */
export interface Found<Value> {
  readonly values: readonly Value[];
  /** Seconds that they may still be used; 0: for this once. */
  readonly ttl: number;
  /** `address:port` of the server that said so. */
  readonly server: string;
  readonly transport: Transport;
  /** It was known already; nothing was sent. */
  readonly cached: boolean;
}

export type LookUp<Value> = Promise<Result<Found<Value>, LookUpFailure>>;

/** Asks the DNS for what a federating edge needs. Never rejects; names are taken whole, no search list is used. */
export interface Resolver {
  /** The A (family 4) or AAAA (family 6) records of a host, aliases followed, in the order of the answer. */
  addresses(name: string, family: 4 | 6): LookUp<string>;
  /** The SRV records of a service name such as `_sipfederationtls._tcp.example.com`, not yet ordered. */
  services(name: string): LookUp<ServiceRecord>;
}

export interface ResolverLimits extends ExchangeLimits {
  readonly cache: CacheLimits;
  /** Questions under way at a time. */
  readonly questions: number;
  /** Callers that wait for the same question. */
  readonly waiting: number;
  /** How long a server that did not work is asked last. Milliseconds. */
  readonly restMs: number;
}

export const usualResolverLimits: ResolverLimits = {
  records: 500,
  aliases: 8,
  values: 100,
  tryMs: 1500,
  tcpMs: 3000,
  rounds: 2,
  totalMs: 10_000,
  strangers: 8,
  cache: { entries: 5000, longest: 86_400, longestAbsence: 900, failure: 5 },
  questions: 256,
  waiting: 1000,
  restMs: 30_000,
};

export interface ResolverOptions {
  /** Asked in this order; the first that works is kept to. */
  readonly servers: readonly ServerPlace[];
  /** At most one of each family; a server of a family without one cannot be asked. */
  readonly localAddresses: readonly string[];
  readonly limits?: Partial<ResolverLimits>;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  /** What was asked and what came of it; nothing is told when left out. */
  readonly events?: EventStream;
  /** Default: the network. */
  readonly wire?: Wire;
}

type AnyLookUp = Result<Found<RecordValues[RecordType]>, LookUpFailure>;

interface Pending {
  readonly promise: Promise<AnyLookUp>;
  waiting: number;
  readonly stop: () => void;
}

/** The resolver of the edge: our own messages from our own address, so no library of the host is in between. */
export class DnsResolver implements Resolver {
  readonly #options: ResolverOptions;
  readonly #limits: ResolverLimits;
  readonly #wire: Wire;
  readonly #meters: ReturnType<typeof resolverMetrics>;
  readonly #cache: AnswerCache<AnyLookUp>;
  readonly #pending = new Map<string, Pending>();
  readonly #resting = new Map<number, Monotonic>();
  #closed = false;

  constructor(options: ResolverOptions) {
    this.#options = options;
    this.#limits = { ...usualResolverLimits, ...options.limits };
    this.#wire = options.wire ?? networkWire;
    this.#meters = resolverMetrics(options.metrics);
    this.#cache = new AnswerCache(this.#limits.cache);
  }

  async addresses(name: string, family: 4 | 6): LookUp<string> {
    return (await this.#ask(name, family === 4 ? 'A' : 'AAAA')) as Result<Found<string>, LookUpFailure>;
  }
  async services(name: string): LookUp<ServiceRecord> {
    return (await this.#ask(name, 'SRV')) as Result<Found<ServiceRecord>, LookUpFailure>;
  }

  /** Everything under way fails with 'stopped'. */
  close(): void {
    this.#closed = true;
    for (const { stop } of [...this.#pending.values()]) stop();
    this.#cache.clear();
  }

  async #ask(text: string, type: RecordType): Promise<AnyLookUp> {
    const answer = await this.#answer(text, type);
    this.#meters.questions.inc(answer.ok ? 'found' : answer.error.reason);
    this.#tell(text, type, answer);
    return answer;
  }

  #tell(name: string, type: RecordType, answer: AnyLookUp): void {
    const { events } = this.#options;
    if (events === undefined || events.tap('Dns').level < LEVEL.info) return;
    const asked = printable(name);
    const outcome = answer.ok
      ? { values: answer.value.values.length, server: answer.value.server, cached: answer.value.cached }
      : { rule: answer.error.reason };
    events.emit({
      provider: 'Dns',
      component: 'resolver',
      level: answer.ok && answer.value.cached ? 'verbose' : 'info',
      kind: 'decision',
      name: answer.ok ? 'name-found' : 'name-not-found',
      fields: { name: asked, type, ...outcome },
      keys: { domain: [asked.toLowerCase().replace(/^(?:_[^.]+\.)+/, '')] },
    });
  }

  #answer(text: string, type: RecordType): AnyLookUp | Promise<AnyLookUp> {
    const name = questionName(text);
    if (name === undefined) return err(lookUpFailure('bad-name', printable(text)));
    if (this.#closed) return err(lookUpFailure('stopped', name));
    const question: Question = { name, type };
    const key = questionKey(question);
    const known = this.#cache.take(key, this.#options.clock.now());
    if (known !== undefined) return this.#fromCache(known.value, known.left);
    const pending = this.#pending.get(key);
    if (pending !== undefined && pending.waiting < this.#limits.waiting) {
      pending.waiting += 1;
      return pending.promise;
    }
    if (pending !== undefined || this.#pending.size >= this.#limits.questions)
      return err(lookUpFailure('busy', `${type} ${name}`));
    return this.#begin(question, key);
  }

  #fromCache(value: AnyLookUp, left: number): AnyLookUp {
    this.#meters.cacheHits.inc();
    return value.ok ? ok({ ...value.value, ttl: left, cached: true }) : err({ ...value.error, ttl: left });
  }

  #begin(question: Question, key: string): AnyLookUp | Promise<AnyLookUp> {
    const servers = this.#serversInOrder();
    if (servers.length === 0) return err(lookUpFailure('no-resolver', question.name));
    const { promise, resolve } = Promise.withResolvers<AnyLookUp>();
    const settle = (answer: AnyLookUp): void => {
      this.#pending.delete(key);
      resolve(answer);
    };
    const run = new Run(
      {
        clock: this.#options.clock,
        wire: this.#wire,
        meters: this.#meters,
        server: (index) => this.#options.servers[index]!,
        localAddress: (server) => this.#localAddress(server) ?? '',
        judge: (server, works) => this.#judge(server, works),
        finished: (outcome) => settle(this.#keep(key, question, outcome)),
      },
      new Exchange(question, servers, this.#limits, this.#options.random),
    );
    const stop = (): void => {
      run.stop();
      settle(err(lookUpFailure('stopped', question.name)));
    };
    this.#pending.set(key, { promise, waiting: 1, stop });
    run.start();
    return promise;
  }

  #keep(key: string, question: Question, outcome: ExchangeOutcome): AnyLookUp {
    const now = this.#options.clock.now();
    if (outcome.state === 'found') {
      const { values, transport } = outcome;
      const ttl = Math.min(outcome.ttl, this.#limits.cache.longest);
      const server = placeText(this.#options.servers[outcome.server]!);
      const found: AnyLookUp = ok({ values, ttl, server, transport, cached: false });
      this.#cache.keep(key, found, 'values', ttl, now);
      return found;
    }
    const absent = outcome.reason === 'nxdomain' || outcome.reason === 'no-data';
    const seconds = absent ? (outcome.ttl ?? 0) : this.#limits.cache.failure;
    const failed: AnyLookUp = err(
      lookUpFailure(outcome.reason, `${question.type} ${outcome.detail}`, seconds),
    );
    this.#cache.keep(key, failed, absent ? 'absence' : 'failure', seconds, now);
    return failed;
  }

  /** Those that worked, or were not tried lately, before those that did not. */
  #serversInOrder(): number[] {
    const now = this.#options.clock.now();
    const usable = this.#options.servers.flatMap((server, index) =>
      this.#localAddress(server) === undefined ? [] : [index],
    );
    const rests = (index: number): boolean => (this.#resting.get(index) ?? 0) > now;
    return [...usable.filter((index) => !rests(index)), ...usable.filter(rests)];
  }

  #judge(server: number, works: boolean): void {
    if (works) this.#resting.delete(server);
    else this.#resting.set(server, this.#options.clock.now() + this.#limits.restMs);
  }

  #localAddress(server: ServerPlace): string | undefined {
    const family = isIP(server.address);
    return this.#options.localAddresses.find((address) => isIP(address) === family);
  }
}

/** What an exchange needs of the world. */
interface RunHost {
  readonly clock: Clock;
  readonly wire: Wire;
  readonly meters: ReturnType<typeof resolverMetrics>;
  server(index: number): ServerPlace;
  localAddress(server: ServerPlace): string;
  judge(server: number, works: boolean): void;
  finished(outcome: ExchangeOutcome): void;
}

/** Executes the actions of one exchange. */
class Run {
  readonly #host: RunHost;
  readonly #exchange: Exchange;
  #close = ignore;
  #cancel = ignore;
  #over = false;

  constructor(host: RunHost, exchange: Exchange) {
    this.#host = host;
    this.#exchange = exchange;
  }
  start(): void {
    this.#execute(this.#exchange.start(this.#host.clock.now()));
  }
  stop(): void {
    this.#over = true;
    this.#cancel();
    this.#close();
  }

  #execute(actions: readonly ExchangeAction[]): void {
    for (const action of actions) {
      if (this.#over) return;
      if (action.do === 'send') this.#send(action);
      else if (action.do === 'close') this.#close();
      else if (action.do === 'wait') this.#wait(action.until);
      else if (action.do === 'drop') this.#host.meters.dropped.inc(action.reason);
      else if (action.do === 'judge') this.#host.judge(action.server, action.works);
      else this.#finish(action.outcome);
    }
  }
  #send({ attempt, transport, server, bytes }: ExchangeAction & { do: 'send' }): void {
    const { clock, wire, meters } = this.#host;
    const place = this.#host.server(server);
    meters.sent.inc(transport);
    const localAddress = this.#host.localAddress(place);
    this.#close = wire(
      { transport, server: place, localAddress, bytes },
      {
        handleMessage: (message) =>
          this.#execute(this.#exchange.handleMessage(attempt, message, clock.now())),
        handleStranger: () => meters.dropped.inc('wrong-source'),
        handleFailure: () => this.#execute(this.#exchange.handleFailure(attempt, clock.now())),
      },
    );
  }
  #wait(until: Monotonic): void {
    const { clock } = this.#host;
    this.#cancel();
    this.#cancel = clock.after(until - clock.now(), () =>
      this.#execute(this.#exchange.handleTimer(clock.now())),
    );
  }
  #finish(outcome: ExchangeOutcome): void {
    this.stop();
    this.#host.finished(outcome);
  }
}

/** For a log line: at most 100 characters, none of them unprintable. */
function printable(text: string): string {
  return text.slice(0, 100).replaceAll(/[^\x21-\x7e]/g, '?');
}

/** `192.0.2.1:53`, `[2001:db8::1]:53`. */
export function placeText({ address, port }: ServerPlace): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function resolverMetrics(metrics: Metrics) {
  const outcomes = ['found', ...lookUpReasons] as const;
  const questions: Counter<(typeof outcomes)[number]> = metrics.counter(
    'sallyport_dns_questions_total',
    'Questions to the resolver of the edge, by how they ended.',
    { name: 'outcome', values: outcomes },
  );
  return {
    questions,
    cacheHits: metrics.counter('sallyport_dns_cache_hits_total', 'Questions answered from the cache.'),
    sent: metrics.counter('sallyport_dns_sent_total', 'Questions sent to name servers.', {
      name: 'transport',
      values: ['udp', 'tcp'] as const,
    }),
    dropped: metrics.counter(
      'sallyport_dns_answers_dropped_total',
      'Datagrams and messages that were not the answer to our question.',
      { name: 'reason', values: answerDrops },
    ),
  };
}

function ignore(): void {}
