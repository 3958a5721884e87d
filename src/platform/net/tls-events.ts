import { type EventStream, eventEndpoint, LEVEL, type Tap } from '#platform/telemetry';
import type { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import type { RefusalReason } from './refusal.ts';

/** Names of a certificate that one event tells. */
const NAMES = 4;

/** What is told of handshakes, in both directions. */
export class TlsEvents {
  readonly #events: EventStream | undefined;
  readonly #tap: Tap | undefined;
  readonly #component: 'tls-acceptor' | 'tls-dial';

  constructor(events: EventStream | undefined, component: 'tls-acceptor' | 'tls-dial') {
    this.#events = events;
    this.#tap = events?.tap('Tls');
    this.#component = component;
  }

  established({ id, local, remote, tls }: Connection): void {
    if (!this.#isAsked()) return;
    const names = tls?.peer?.names.dns.slice(0, NAMES) ?? [];
    this.#events?.emit({
      provider: 'Tls',
      component: this.#component,
      level: 'info',
      kind: 'decision',
      name: 'tls-established',
      flags: ['connection', 'security'],
      direction: this.#component === 'tls-dial' ? 'out' : 'in',
      connection: String(id),
      local: eventEndpoint(local),
      remote: eventEndpoint(remote),
      fields: {
        protocol: tls?.protocol ?? 'none',
        ...(tls?.alpn === undefined ? {} : { alpn: tls.alpn }),
        ...(tls?.servername === undefined ? {} : { asked: tls.servername }),
        ...(names.length === 0 ? {} : { names: names.join(' ') }),
      },
      keys: { address: [remote.address], ...(names.length === 0 ? {} : { domain: names }) },
    });
  }

  refused(
    reason: RefusalReason,
    local: Endpoint | undefined,
    remote: Endpoint,
    detail: string | undefined,
  ): void {
    if (this.#isAsked()) this.#failed(reason, 'in', remote, detail, local);
  }
  /** @param code of the error catalogue */
  dialFailed(code: string, remote: Endpoint, detail: string): void {
    if (this.#isAsked()) this.#failed(code, 'out', remote, detail, undefined);
  }

  #failed(
    rule: string,
    direction: 'in' | 'out',
    remote: Endpoint,
    detail: string | undefined,
    local: Endpoint | undefined,
  ): void {
    this.#events?.emit({
      provider: 'Tls',
      component: this.#component,
      level: 'info',
      kind: 'decision',
      name: 'tls-failed',
      flags: ['connection', 'security'],
      direction,
      ...(local === undefined ? {} : { local: eventEndpoint(local) }),
      remote: eventEndpoint(remote),
      fields: { rule, ...(detail === undefined ? {} : { detail: detail.slice(0, 400) }) },
      keys: { address: [remote.address] },
    });
  }
  #isAsked(): boolean {
    return this.#tap !== undefined && this.#tap.level >= LEVEL.info;
  }
}
