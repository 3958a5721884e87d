import type { Clock } from '#kernel';
import type { ServiceContext } from '#platform/service';
import type { SipFlow } from '#platform/sip-endpoint';
import type { SipRequest } from '#protocols/sip';
import { ClientConnection } from '../clients/client-connection.ts';
import { PartnerConnection } from '../federation/connections/partner-connection.ts';
import { LoopWait } from './loop-wait.ts';
import { OverloadControl, type OverloadOptions, type WorkKind } from './overload-control.ts';

/** What clients and partners ask while this process has too much to do; the next hop is never refused. */
export class OverloadDesk {
  readonly #clock: Clock;
  readonly #control: OverloadControl;
  readonly #wait: LoopWait;
  #waitedMs = 0;

  constructor({ clock, events, log, metrics }: ServiceContext, waitMs: number) {
    this.#clock = clock;
    this.#control = new OverloadControl({ waitMs }, ({ overloaded, ...numbers }) => {
      const fields = { ...numbers, waitedMs: Math.round(numbers.waitedMs) };
      const name = overloaded ? 'access-overloaded' : 'access-overload-over';
      log.warn(overloaded ? 'overloaded: new requests are refused' : 'no longer overloaded', fields);
      events.emit({
        provider: 'Access',
        component: 'overload',
        level: 'warning',
        kind: 'state',
        name,
        fields,
      });
    });
    this.#wait = new LoopWait(clock, (waitedMs) => {
      this.#waitedMs = waitedMs;
      this.#control.handleWait(waitedMs, clock.now());
    });
    metrics.observe(
      'sallyport_access_waiting_milliseconds',
      'How long a message that arrives now waits to be read',
      () => Math.round(this.#waitedMs),
    );
    metrics.observe('sallyport_access_overloaded', '1 while new requests are refused for overload', () =>
      Number(this.#control.overloaded),
    );
  }

  /** How long a message that arrives now waits to be read. */
  get waitedMs(): number {
    return this.#waitedMs;
  }
  start(): void {
    this.#wait.start();
  }
  stop(): void {
    this.#wait.stop();
  }
  configure(options: OverloadOptions): void {
    this.#control.configure(options);
  }

  /** Whether a request of a client or a partner is let in. A BYE within a dialog always is: it ends work. */
  admits(request: Pick<SipRequest, 'method' | 'to'>, { data, party }: SipFlow): boolean {
    const kind = workOf(request, data);
    if (kind === 'ends-dialog') return true;
    const sourceClass = data instanceof PartnerConnection ? 'partner' : 'client';
    return this.#control.admits(kind, sourceClass, party ?? '', this.#clock.now());
  }
}

/** A stranger has no dialog, whatever tags its requests have and however they are called. */
export function workOf(
  { method, to }: Pick<SipRequest, 'method' | 'to'>,
  data: unknown,
): WorkKind | 'ends-dialog' {
  const stranger = data instanceof ClientConnection && !data.signIn.signedIn && data.guest?.accepted !== true;
  if (stranger || to.tag === undefined) return 'new';
  return method === 'BYE' ? 'ends-dialog' : 'within-dialog';
}
