import type { ServerTransaction } from '#protocols/sip';
import type { SipEndpoint } from '../endpoint.ts';
import { type ProxyBranch, ProxyContext, type ProxyHandler, type ProxyLimits } from './proxy-context.ts';

export interface StatefulProxyOptions {
  readonly endpoint: SipEndpoint;
  /** Targets of one request, serial ones included; default 16. */
  readonly branches?: number;
  /**
   * Header fields of an INVITE that ACK and BYE have as well where a call is ended in its caller's place: those by which the far
   * end knows whose it is. Default none.
   */
  readonly carried?: readonly string[];
}

const NO_SAY: ProxyHandler = {};

/**
 * A stateful proxy's forwarding (RFC 3261 §16.6 to §16.10). The service has validated the request (§16.3),
 * chosen its targets (§16.5) and written each branch's copy (§16.6 steps 1 to 8); from there on this does the
 * rest.
 *
 * An ACK for a 2xx goes by SipEndpoint.sendStateless: it is no transaction.
 */
export class StatefulProxy {
  readonly #endpoint: SipEndpoint;
  readonly #limits: ProxyLimits;

  constructor(options: StatefulProxyOptions) {
    this.#endpoint = options.endpoint;
    this.#limits = { branches: options.branches ?? 16, carried: options.carried ?? [] };
  }

  /** Sends the request to all branches at once; without any it is answered with 480. */
  forward(
    transaction: ServerTransaction,
    branches: readonly ProxyBranch[],
    handler: ProxyHandler = NO_SAY,
  ): ProxyContext {
    const context = new ProxyContext(this.#endpoint, transaction, handler, this.#limits);
    context.start(branches);
    return context;
  }
}
