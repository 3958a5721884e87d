import type { Monotonic, Random } from '#kernel';
import { type ReadingLimits, readResponse } from './answer.ts';
import type { LookUpReason } from './failure.ts';
import {
  type AnswerDrop,
  decodeResponse,
  encodeQuestion,
  type MessageLimits,
  type ResponseMessage,
  type SentQuestion,
  spellQuestion,
} from './message.ts';
import type { Question, RecordValues } from './question.ts';

export type Transport = 'udp' | 'tcp';

export interface ExchangeLimits extends MessageLimits, ReadingLimits {
  /** For the first round of tries over all servers; each further round has twice the time. Milliseconds. */
  readonly tryMs: number;
  /** For connecting and answering over TCP. Milliseconds. */
  readonly tcpMs: number;
  readonly rounds: number;
  /** For everything. Milliseconds. */
  readonly totalMs: number;
  /** Datagrams that are not the answer before the question goes to TCP, where nobody can guess along. */
  readonly strangers: number;
}

/** What an exchange asks its adapter to do. */
export type ExchangeAction =
  /** Send from a socket of its own that was never used before, so that its port is new too. */
  | {
      readonly do: 'send';
      readonly attempt: number;
      readonly transport: Transport;
      /** Index in the list of servers. */
      readonly server: number;
      readonly bytes: Buffer;
    }
  | { readonly do: 'close'; readonly attempt: number }
  /** Call handleTimer then; replaces the time set before. */
  | { readonly do: 'wait'; readonly until: Monotonic }
  | { readonly do: 'drop'; readonly reason: AnswerDrop }
  /** What one server is worth: asked first or last next time. */
  | { readonly do: 'judge'; readonly server: number; readonly works: boolean }
  | { readonly do: 'finish'; readonly outcome: ExchangeOutcome };

export type ExchangeOutcome =
  | {
      readonly state: 'found';
      readonly values: readonly RecordValues[Question['type']][];
      readonly ttl: number;
      readonly server: number;
      readonly transport: Transport;
    }
  | {
      readonly state: 'failed';
      readonly reason: LookUpReason;
      /** Seconds that the absence may be kept; undefined: the answer does not say. */
      readonly ttl: number | undefined;
      readonly detail: string;
    };

interface Attempt {
  readonly id: number;
  readonly transport: Transport;
  readonly server: number;
  readonly sent: SentQuestion;
}

/** The gravest reason is what a failure is called when servers fail for different ones. */
const gravity: readonly LookUpReason[] = [
  'alias-loop',
  'bad-answer',
  'servfail',
  'refused',
  'timeout',
  'unreachable',
];

/**
 * One question on its way to an answer, as a pure machine: which server is asked when and how, what is believed, and
 * when it is given up. RFC 1035 §7.2, RFC 5452 (forgery), RFC 7766 (TCP), RFC 6891 (EDNS), RFC 2308 (absence).
 */
export class Exchange {
  readonly #limits: ExchangeLimits;
  readonly #random: Random;
  readonly #servers: readonly number[];
  readonly #seen = new Set<string>();
  readonly #reasons = new Set<LookUpReason>();
  #question: Question;
  #aliasTtl = Number.POSITIVE_INFINITY;
  #aliases = 0;
  #deadline: Monotonic = 0;
  #edns = true;
  /** Which server of which round is asked: round * servers + position. */
  #turn = 0;
  #attempt: Attempt | undefined;
  #attempts = 0;
  #strangers = 0;
  #done = false;

  /** @param servers indexes, in the order in which they are asked; at least one */
  constructor(question: Question, servers: readonly number[], limits: ExchangeLimits, random: Random) {
    this.#question = question;
    this.#servers = servers;
    this.#limits = limits;
    this.#random = random;
    this.#seen.add(question.name);
  }

  start(now: Monotonic): ExchangeAction[] {
    this.#deadline = now + this.#limits.totalMs;
    return this.#send('udp', now);
  }

  /** Bytes that arrived on the socket of an attempt, from the server that it asked. */
  handleMessage(attempt: number, bytes: Buffer, now: Monotonic): ExchangeAction[] {
    const current = this.#attempt;
    if (this.#done || current === undefined || current.id !== attempt) return [];
    const response = decodeResponse(bytes, current.sent, this.#limits);
    return response.ok
      ? this.#handleResponse(current, response.value, now)
      : this.#handleStranger(current, response.error, now);
  }

  /** The socket of an attempt failed, or could not be opened; or a TCP connection ended. */
  handleFailure(attempt: number, now: Monotonic): ExchangeAction[] {
    if (this.#done || this.#attempt?.id !== attempt) return [];
    return this.#giveUp('unreachable', now);
  }

  handleTimer(now: Monotonic): ExchangeAction[] {
    return this.#done || this.#attempt === undefined ? [] : this.#giveUp('timeout', now);
  }

  #handleStranger(attempt: Attempt, reason: AnswerDrop, now: Monotonic): ExchangeAction[] {
    const drop: ExchangeAction = { do: 'drop', reason };
    if (attempt.transport === 'tcp') return [drop, ...this.#giveUp('bad-answer', now)];
    this.#strangers += 1;
    if (reason !== 'wrong-case' && this.#strangers < this.#limits.strangers) return [drop];
    return [drop, ...this.#close(), ...this.#send('tcp', now)];
  }

  #handleResponse(attempt: Attempt, response: ResponseMessage, now: Monotonic): ExchangeAction[] {
    if (response.truncated) {
      if (attempt.transport === 'tcp') return this.#giveUp('bad-answer', now);
      return [...this.#close(), ...this.#send('tcp', now)];
    }
    const aliases = this.#limits.aliases - this.#aliases;
    const reading = readResponse(response, this.#question, { ...this.#limits, aliases });
    switch (reading.state) {
      case 'found':
        return this.#finish({
          ...reading,
          ttl: Math.min(reading.ttl, this.#aliasTtl),
          server: attempt.server,
          transport: attempt.transport,
        });
      case 'absent':
        return this.#finish(this.#absence(reading.reason, reading.ttl));
      case 'alias':
        return this.#handleAlias(reading, now);
      case 'no-edns':
        if (!this.#edns) return this.#giveUp('servfail', now);
        this.#edns = false;
        return [...this.#close(), ...this.#send(attempt.transport, now)];
      case 'useless':
        return this.#giveUp(reading.reason, now);
    }
  }

  /** The chain goes on in a name that has to be asked for. */
  #handleAlias(
    alias: { readonly target: string; readonly hops: number; readonly ttl: number },
    now: Monotonic,
  ): ExchangeAction[] {
    this.#aliases += alias.hops;
    this.#aliasTtl = Math.min(this.#aliasTtl, alias.ttl);
    if (this.#seen.has(alias.target) || this.#aliases >= this.#limits.aliases)
      return this.#finish(this.#failure('alias-loop', 'the aliases come to no end'));
    this.#seen.add(alias.target);
    this.#question = { ...this.#question, name: alias.target };
    return [...this.#close(), ...this.#send('udp', now)];
  }

  #absence(reason: 'nxdomain' | 'no-data', ttl: number | undefined): ExchangeOutcome {
    const kept = ttl === undefined ? undefined : Math.min(ttl, this.#aliasTtl);
    return { state: 'failed', reason, ttl: kept, detail: this.#question.name };
  }

  /** This server is of no use now: the next one, or the next round. */
  #giveUp(reason: LookUpReason, now: Monotonic): ExchangeAction[] {
    this.#reasons.add(reason);
    const server = this.#attempt?.server ?? 0;
    const judged: ExchangeAction = { do: 'judge', server, works: reason === 'alias-loop' };
    const closed = this.#close();
    this.#turn += 1;
    const over = this.#turn >= this.#servers.length * this.#limits.rounds || now >= this.#deadline;
    if (!over) return [judged, ...closed, ...this.#send('udp', now)];
    const worst = gravity.find((each) => this.#reasons.has(each)) ?? 'timeout';
    return [judged, ...closed, ...this.#finish(this.#failure(worst, this.#tried()))];
  }

  #tried(): string {
    return `${this.#question.name} after ${this.#attempts} tries`;
  }

  #failure(reason: LookUpReason, detail: string): ExchangeOutcome {
    return { state: 'failed', reason, ttl: undefined, detail };
  }

  #send(transport: Transport, now: Monotonic): ExchangeAction[] {
    const { tryMs, tcpMs } = this.#limits;
    const round = Math.floor(this.#turn / this.#servers.length);
    const server = this.#servers[this.#turn % this.#servers.length]!;
    const sent = spellQuestion(this.#question, this.#random);
    const attempt: Attempt = { id: ++this.#attempts, transport, server, sent };
    this.#attempt = attempt;
    this.#strangers = 0;
    const ms = transport === 'tcp' ? tcpMs : tryMs * 2 ** round;
    return [
      { do: 'send', attempt: attempt.id, transport, server, bytes: encodeQuestion(sent, this.#edns) },
      { do: 'wait', until: Math.min(now + ms, Math.max(this.#deadline, now)) },
    ];
  }

  #close(): ExchangeAction[] {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    return attempt === undefined ? [] : [{ do: 'close', attempt: attempt.id }];
  }

  #finish(outcome: ExchangeOutcome): ExchangeAction[] {
    const server = this.#attempt?.server;
    this.#done = true;
    const judged: ExchangeAction[] = server === undefined ? [] : [{ do: 'judge', server, works: true }];
    return [...judged, ...this.#close(), { do: 'finish', outcome }];
  }
}
