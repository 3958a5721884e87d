import { type ClientTransactionUser, type Dismissal, dismissalOf, type SipResponse } from '#protocols/sip';
import type { SipEndpoint } from '../endpoint.ts';
import type { SipFlow } from '../types.ts';

/** Calls that one branch may have had accepted, and that are ended. */
const MOST_DISMISSED = 8;
/** Whatever is said to a BYE, the call is over. */
const NOBODY: ClientTransactionUser = { onResponse() {}, onFailure() {} };

/** An INVITE as it left, and where to. */
interface Sent {
  readonly flow: SipFlow;
  readonly bytes: Buffer;
}

/** The calls that one branch had accepted and that its caller does not hear of: they are ended in the caller's place. */
export class Dismissals {
  readonly #endpoint: SipEndpoint;
  readonly #carried: readonly string[];
  readonly #byTag = new Map<string, Dismissal>();

  /** @param carried header fields of the INVITE that ACK and BYE have as well */
  constructor(endpoint: SipEndpoint, carried: readonly string[]) {
    this.#endpoint = endpoint;
    this.#carried = carried;
  }

  /** The 2xx comes again until its ACK is there, and several may come for one INVITE. */
  dismiss(response: SipResponse, { flow, bytes: sent }: Sent): void {
    const { tag } = response.to;
    if (tag === undefined) return;
    const before = this.#byTag.get(tag);
    const dismissal = before ?? dismissalOf(sent, response, this.#carried);
    if (dismissal === undefined || (before === undefined && this.#byTag.size >= MOST_DISMISSED)) return;
    this.#byTag.set(tag, dismissal);
    this.#endpoint.sendStateless(flow, dismissal.ack);
    if (before !== undefined) return;
    const { bye: bytes, byeBranch } = dismissal;
    this.#endpoint.request(flow, { method: 'BYE', branch: byeBranch, bytes }, NOBODY);
  }
}
