import { type Cancel, FailureError, failure } from '#kernel';
import {
  Dialog,
  newBranch,
  type ServerTransaction,
  type SipRequest,
  type SipResponse,
  type SubscriptionState,
  subscriptionStateOf,
} from '#protocols/sip';
import type { Phone } from './phone.ts';

export interface SubscriptionPlan {
  /** `sip:` URI. */
  readonly to: string;
  readonly event: string;
  readonly accept: string;
  /** Seconds; the subscription renews itself at half of what is granted. */
  readonly expires: number;
  readonly onNotify: (state: SubscriptionState, body: Buffer) => void;
}

/** A subscription of the phone (RFC 6665 §4.1): one dialog, renewed until it is ended from either side. */
export class Subscription {
  readonly #phone: Phone;
  readonly #plan: SubscriptionPlan;
  #dialog: Dialog | undefined;
  #renewal: Cancel | undefined;
  #ended = false;

  private constructor(phone: Phone, plan: SubscriptionPlan) {
    this.#phone = phone;
    this.#plan = plan;
  }
  /** SUBSCRIBE; resolves when it was accepted. Its first NOTIFY may come before that. */
  static async begin(phone: Phone, plan: SubscriptionPlan): Promise<Subscription> {
    const subscription = new Subscription(phone, plan);
    const request = { ...phone.plan('SUBSCRIBE', plan.to), headers: subscription.#headers(plan.expires) };
    phone.subscriptions.set(request.callId, subscription);
    try {
      const sent = await phone.transact(request, () => {});
      const dialog = Dialog.asUac(sent.request, sent.response);
      if (!dialog.ok) throw new FailureError(failure('SLP-APP-0007', dialog.error));
      subscription.#dialog = dialog.value;
      subscription.#renewLater(sent.response);
      return subscription;
    } catch (problem) {
      phone.subscriptions.delete(request.callId);
      throw problem;
    }
  }

  get ended(): boolean {
    return this.#ended;
  }
  /** SUBSCRIBE within the dialog; `expires` 0 ends it. */
  async renew(expires = this.#plan.expires): Promise<void> {
    this.#renewal?.();
    const { endpoint, flow, options } = this.#phone;
    const branch = newBranch(options.random);
    const via = this.#phone.via(branch);
    const request = this.#dialog?.request('SUBSCRIBE', { via, headers: this.#headers(expires) });
    if (request === undefined) return;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new FailureError(failure('SLP-APP-0006', `SUBSCRIBE: ${why}`)));
      const settle = (response: SipResponse) => {
        if (response.status >= 300) return fail(`${response.status} ${response.reason}`);
        if (response.status < 200) return;
        if (expires > 0) this.#renewLater(response);
        resolve();
      };
      const sent = endpoint.request(
        flow,
        { method: 'SUBSCRIBE', branch, bytes: request.bytes },
        { onResponse: settle, onFailure: fail },
      );
      if (!sent.ok) fail(sent.error);
    });
  }
  /** Un-SUBSCRIBE; its last NOTIFY still comes. */
  end(): Promise<void> {
    return this.renew(0);
  }

  handleNotify(request: SipRequest, transaction: ServerTransaction): void {
    const state = subscriptionStateOf(request);
    const taken = this.#dialog?.handleRequest(request) ?? { ok: true };
    if (state === undefined || !taken.ok) return this.#phone.endpoint.respond(transaction, state ? 500 : 400);
    this.#phone.endpoint.respond(transaction, 200);
    if (state.state === 'terminated') this.handleLost();
    this.#plan.onNotify(state, Buffer.from(request.body));
  }
  /** No more comes. */
  handleLost(): void {
    this.#ended = true;
    this.#renewal?.();
    for (const [callId, one] of this.#phone.subscriptions) {
      if (one === this) this.#phone.subscriptions.delete(callId);
    }
  }

  #headers(expires: number): (readonly [string, string])[] {
    const { event, accept } = this.#plan;
    return [
      ['Event', event],
      ['Accept', accept],
      ['Contact', this.#phone.contact],
      ['Expires', `${expires}`],
    ];
  }
  #renewLater(response: SipResponse): void {
    const granted = Number(response.header('Expires') ?? this.#plan.expires);
    this.#renewal = this.#phone.options.clock.after(granted * 500, () => {
      // Whoever does not answer any more lets it run out.
      this.renew().catch(() => this.handleLost());
    });
  }
}
