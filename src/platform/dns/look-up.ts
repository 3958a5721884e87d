import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { endpointText } from '#platform/topology';

/** What a resolver says to one question. */
export type Answer<Value> =
  | { readonly state: 'found'; readonly values: readonly Value[] }
  /** The name does not exist, or has no record of the type. */
  | { readonly state: 'absent' }
  /** No answer within the time, or none that can be used. */
  | { readonly state: 'failed'; readonly code: string };

export interface FoundService {
  readonly target: string;
  readonly port: number;
}

/** One property of a CAA record set (RFC 8659 §4). */
export interface FoundAuthority {
  readonly tag: string;
  readonly value: string;
}

/** The questions that a check asks. */
export interface DnsQuestions {
  addresses(name: string, type: 'A' | 'AAAA'): Promise<Answer<string>>;
  services(name: string): Promise<Answer<FoundService>>;
  alias(name: string): Promise<Answer<string>>;
  authorities(name: string): Promise<Answer<FoundAuthority>>;
}

export interface LookUpLimits {
  /** Most questions to one resolver; each is sent at most `tries` times. */
  readonly questions: number;
  readonly atATime: number;
  /** For one try. */
  readonly timeoutMs: number;
  readonly tries: number;
  /** A resolver that says nothing to so many questions in a row is asked nothing more. */
  readonly silentInARow: number;
}

export const usualLimits: LookUpLimits = {
  questions: 1000,
  atATime: 8,
  timeoutMs: 2000,
  tries: 2,
  silentInARow: 8,
};

/** `ADDR`, `ADDR:PORT` or `[ADDR]:PORT` in the one form that resolvers take, or undefined. */
export function resolverPlace(text: string): string | undefined {
  const family = isIP(text);
  if (text.includes('%')) return undefined;
  if (family !== 0) return endpointText(text, 53);
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const address = parts?.[1] ?? parts?.[2] ?? '';
  const port = Number(parts?.[3]);
  if (isIP(address) === 0 || port < 1 || port > 65535) return undefined;
  return (parts?.[1] === undefined) === (isIP(address) === 4) ? endpointText(address, port) : undefined;
}

/** No record of the type, or no such name. */
const ABSENT = new Set(['ENODATA', 'ENOTFOUND']);
/** Nobody is there. */
const SILENT = new Set(['ETIMEOUT', 'ECONNREFUSED']);

/** Asks resolvers over the network (node:dns, which is c-ares and never the C library), within bounds. */
export class DnsLookUp implements DnsQuestions {
  readonly #resolver: Resolver;
  readonly #limits: LookUpLimits;
  readonly #waiting: (() => void)[] = [];
  readonly #known = new Map<string, Promise<Answer<never>>>();
  #running = 0;
  #asked = 0;
  #silent = 0;

  /** @param servers places by `resolverPlace`, asked one after the other; this host's resolvers when there is none */
  constructor(servers: readonly string[], limits: LookUpLimits = usualLimits) {
    this.#resolver = new Resolver({ timeout: limits.timeoutMs, tries: limits.tries });
    if (servers.length > 0) this.#resolver.setServers(servers);
    this.#limits = limits;
  }

  addresses(name: string, type: 'A' | 'AAAA'): Promise<Answer<string>> {
    return this.#ask(`${type} ${name}`, () =>
      type === 'A' ? this.#resolver.resolve4(name) : this.#resolver.resolve6(name),
    );
  }
  services(name: string): Promise<Answer<FoundService>> {
    return this.#ask(`SRV ${name}`, async () => {
      const records = await this.#resolver.resolveSrv(name);
      return records.map((record) => ({ target: canonicalTarget(record.name), port: record.port }));
    });
  }
  alias(name: string): Promise<Answer<string>> {
    return this.#ask(`CNAME ${name}`, async () =>
      (await this.#resolver.resolveCname(name)).map(canonicalTarget),
    );
  }
  authorities(name: string): Promise<Answer<FoundAuthority>> {
    return this.#ask(`CAA ${name}`, async () =>
      (await this.#resolver.resolveCaa(name)).flatMap(({ critical: _, ...properties }) =>
        Object.entries(properties).flatMap(([tag, value]) =>
          typeof value === 'string' && tag !== 'type' ? [{ tag, value }] : [],
        ),
      ),
    );
  }

  /** The same question is asked once. */
  #ask<Value>(question: string, send: () => Promise<readonly Value[]>): Promise<Answer<Value>> {
    const known = this.#known.get(question);
    if (known !== undefined) return known;
    const answer = this.#inTurn(send);
    // What was asked says which values the answer holds: one question has one type.
    this.#known.set(question, answer as Promise<Answer<never>>);
    return answer;
  }

  async #inTurn<Value>(send: () => Promise<readonly Value[]>): Promise<Answer<Value>> {
    while (this.#running >= this.#limits.atATime) {
      await new Promise<void>((resume) => this.#waiting.push(resume));
    }
    if (this.#asked >= this.#limits.questions)
      return this.#leave({ state: 'failed', code: 'TOO_MANY_QUESTIONS' });
    if (this.#silent >= this.#limits.silentInARow) return this.#leave({ state: 'failed', code: 'GIVEN_UP' });
    this.#running += 1;
    this.#asked += 1;
    const answer = await answerOf(send);
    this.#running -= 1;
    this.#silent = answer.state === 'failed' && SILENT.has(answer.code) ? this.#silent + 1 : 0;
    return this.#leave(answer);
  }

  #leave<Value>(answer: Answer<Value>): Answer<Value> {
    this.#waiting.shift()?.();
    return answer;
  }
}

async function answerOf<Value>(send: () => Promise<readonly Value[]>): Promise<Answer<Value>> {
  try {
    const values = await send();
    return values.length === 0 ? { state: 'absent' } : { state: 'found', values };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return ABSENT.has(code) ? { state: 'absent' } : { state: 'failed', code };
  }
}

function canonicalTarget(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}
