import { err, ok } from '#kernel';
import type { Found, LookUp, LookUpReason, Resolver, ServiceRecord } from '../index.ts';
import { lookUpFailure } from '../resolver/failure.ts';

/** What a fixed resolver knows: values, a reason why not, or a promise that the test settles itself. */
export interface FixedAnswers {
  readonly services?: Readonly<Record<string, readonly ServiceRecord[] | LookUpReason>>;
  /** By `A name` or `AAAA name`. */
  readonly addresses?: Readonly<
    Record<string, readonly string[] | LookUpReason | Promise<readonly string[]>>
  >;
}

/** A resolver for tests; a name that it does not know does not exist. Remembers what it was asked. */
export class FixedResolver implements Resolver {
  readonly asked: string[] = [];
  readonly #answers: FixedAnswers;

  constructor(answers: FixedAnswers) {
    this.#answers = answers;
  }
  async services(name: string): LookUp<ServiceRecord> {
    this.asked.push(`SRV ${name}`);
    return answer(this.#answers.services?.[name], name);
  }
  async addresses(name: string, family: 4 | 6): LookUp<string> {
    const question = `${family === 4 ? 'A' : 'AAAA'} ${name}`;
    this.asked.push(question);
    return answer(await this.#answers.addresses?.[question], name);
  }
}

function answer<Value>(known: readonly Value[] | LookUpReason | undefined, name: string) {
  if (known === undefined || typeof known === 'string')
    return err(lookUpFailure(known ?? 'nxdomain', name, 60));
  const found: Found<Value> = {
    values: known,
    ttl: 300,
    server: '192.0.2.53:53',
    transport: 'udp',
    cached: false,
  };
  return ok(found);
}

export const srv = (target: string, more: Partial<ServiceRecord> = {}): ServiceRecord => ({
  priority: 0,
  weight: 0,
  port: 5061,
  target,
  ...more,
});
