import { type Cancel, type Clock, err, failure, type Result } from '#kernel';
import type { DialOptions } from '#platform/net';
import { type TrustAnchors, type VerifiedPeer, verifyChain } from '#platform/pki';

/** How often open connections are looked at when nothing else asks for it. Their lists stay in use so, and fresh. */
const REVIEW_MS = 600_000;

export interface StandingOptions<Held> {
  readonly clock: Clock;
  /** Whether a certificate still stands, the stapled response of its handshake beside it. */
  readonly confirm: NonNullable<DialOptions['confirm']>;
  /** The running document's. */
  readonly trust: () => TrustAnchors;
  /** Every open connection. */
  readonly held: () => readonly Held[];
  readonly peerOf: (held: Held) => VerifiedPeer;
  readonly stapleOf: (held: Held) => Buffer | undefined;
  /** It could not be opened any more. */
  readonly fallen: (held: Held, why: { readonly revoked: boolean; readonly detail: string }) => void;
}

const REVOKED = 'SLP-PKI-0001';

/**
 * Holds open connections to what is asked of new ones: a certificate that was revoked, has run out, or whose authority the
 * document no longer names while its connection is open ends that connection. Looks at all when a revocation list was
 * replaced, when there is another document, and every ten minutes.
 */
export class Standing<Held> {
  readonly #options: StandingOptions<Held>;
  #review = 0;
  #cancel: Cancel = () => {};

  constructor(options: StandingOptions<Held>) {
    this.#options = options;
    this.#plan();
  }

  /** Looks at every connection, one after the other; a review that is under way makes way. */
  async review(): Promise<void> {
    const { held, fallen } = this.#options;
    this.#review += 1;
    const own = this.#review;
    for (const one of held()) {
      const verdict = await this.#judge(one);
      if (own !== this.#review) return;
      if (verdict.ok) continue;
      const { code, message } = verdict.error;
      fallen(one, { revoked: code === REVOKED, detail: message });
    }
  }
  stop(): void {
    this.#review += 1;
    this.#cancel();
  }

  async #judge(held: Held): Promise<Result<void>> {
    const { clock, trust, peerOf, stapleOf, confirm } = this.#options;
    const peer = peerOf(held);
    const [leaf, ...intermediates] = peer.path;
    if (leaf === undefined) return err(failure('SLP-SIP-0920', peer.subject));
    const at = clock.wall();
    const chain = verifyChain({ leaf, intermediates, anchors: trust(), at, purpose: 'server-identity' });
    if (!chain.ok) return err(failure('SLP-SIP-0920', `${peer.subject}: ${chain.error.problem}`));
    return confirm(peer, stapleOf(held));
  }

  #plan(): void {
    this.#cancel = this.#options.clock.after(REVIEW_MS, () => {
      void this.review();
      this.#plan();
    });
  }
}
