import type { ProxyContext, SipFlow } from '#platform/sip-endpoint';
import type { MessageEdit, SipRequest, SipResponse } from '#protocols/sip';
import type { FederationCore } from './federation.ts';
import type { FederationReason } from './policy/federation-reasons.ts';
import type { Partner } from './policy/partner-table.ts';
import { type ProviderRules, providerAnswer, providerRestriction } from './policy/provider-rules.ts';
import { refuseFederation } from './policy/refuse.ts';

/** With whom something is exchanged, and whether the user of ours may have calls with people at public providers. */
export interface ProviderExchange {
  readonly partner: Partner;
  readonly media: boolean;
}

const NOTHING = new Uint8Array(0);

/** What the running document lets pass to and from public providers, for requests and for their responses, in both directions. */
export class ProviderGate {
  readonly #federation: FederationCore;

  constructor(federation: FederationCore) {
    this.#federation = federation;
  }

  get rules(): ProviderRules {
    const { settings, scene } = this.#federation.scene;
    return { media: settings.providerMedia, conferences: scene.settings.guestConferences };
  }

  /** Why a request may not pass; undefined when it may. */
  restriction(
    request: SipRequest,
    { partner: { provider }, media }: ProviderExchange,
  ): FederationReason | undefined {
    return provider === undefined ? undefined : providerRestriction(request, provider, this.#rulesFor(media));
  }

  /**
   * Refuses the request because of this response to it, and says with which status; undefined when the response may pass.
   * @param from where the request came from
   */
  refuseResponse(
    response: SipResponse,
    { transaction }: ProxyContext,
    exchange: ProviderExchange,
    from: SipFlow,
  ): number | undefined {
    const answer = this.#answer(response, exchange);
    if (answer === 'passes' || answer === 'without-body') return undefined;
    const refusal = refuseFederation(answer);
    if (transaction.pending) {
      this.#federation.refuse(transaction, refusal, from, exchange.partner.domain, {
        answer: response.status,
      });
    }
    return refusal.status;
  }

  /** Takes out the body of a response where it may not pass. */
  editResponse(edit: MessageEdit, response: SipResponse, exchange: ProviderExchange): void {
    if (this.#answer(response, exchange) !== 'without-body') return;
    edit.body(NOTHING);
    for (const name of ['Content-Encoding', 'Content-Disposition', 'Content-Transfer-Encoding'])
      edit.remove(name);
  }

  #answer(
    response: SipResponse,
    { partner: { provider }, media }: ProviderExchange,
  ): ReturnType<typeof providerAnswer> {
    return provider === undefined ? 'passes' : providerAnswer(response, provider, this.#rulesFor(media));
  }
  #rulesFor(media: boolean): ProviderRules {
    const { rules } = this;
    return media ? rules : { ...rules, media };
  }
}
