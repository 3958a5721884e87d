import type { DnsPlan } from '../dns-plan.ts';
import type { Answer, DnsQuestions, FoundAuthority, FoundService } from '../look-up.ts';

/** A resolver whose answers a test writes down, at first those that a plan asks for. */
export class Answers implements DnsQuestions {
  readonly hosts = new Map<string, string[]>();
  readonly srv = new Map<string, FoundService[]>();
  readonly aliases = new Map<string, string>();
  readonly caa = new Map<string, FoundAuthority[]>();
  /** Questions, such as `A sip.example.com`, that fail with this code. */
  readonly failures = new Map<string, string>();
  readonly asked: string[] = [];

  constructor(plan: DnsPlan) {
    for (const record of plan.outside.flatMap(({ records }) => records)) {
      if (record.type === 'SRV') {
        const { target, port } = record;
        this.srv.set(record.name, [...(this.srv.get(record.name) ?? []), { target, port }]);
      } else this.hosts.set(record.name, [...(this.hosts.get(record.name) ?? []), record.address]);
    }
  }

  addresses(name: string, type: 'A' | 'AAAA'): Promise<Answer<string>> {
    const all = this.hosts.get(name) ?? [];
    return this.#answer(
      `${type} ${name}`,
      all.filter((address) => address.includes(':') === (type === 'AAAA')),
    );
  }
  services(name: string): Promise<Answer<FoundService>> {
    return this.#answer(`SRV ${name}`, this.srv.get(name) ?? []);
  }
  alias(name: string): Promise<Answer<string>> {
    const alias = this.aliases.get(name);
    return this.#answer(`CNAME ${name}`, alias === undefined ? [] : [alias]);
  }
  authorities(name: string): Promise<Answer<FoundAuthority>> {
    return this.#answer(`CAA ${name}`, this.caa.get(name) ?? []);
  }

  #answer<Value>(question: string, values: readonly Value[]): Promise<Answer<Value>> {
    this.asked.push(question);
    const code = this.failures.get(question);
    if (code !== undefined) return Promise.resolve({ state: 'failed', code });
    return Promise.resolve(values.length === 0 ? { state: 'absent' } : { state: 'found', values });
  }
}
