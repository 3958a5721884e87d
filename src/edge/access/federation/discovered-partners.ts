import type { Cancel, Clock } from '#kernel';
import type { EventDraft } from '#platform/telemetry';
import type { FederationScene } from './federation-scene.ts';
import { Policing } from './policy/policing.ts';

/** Discovered partners that one report lists. */
const MOST_REPORTED = 100;
/** How often it is looked whether a limit has ended by time alone. */
const REVIEW_MS = 60_000;
const MINUTE_MS = 60_000;

export interface DiscoveredPartnersOptions {
  readonly clock: Clock;
  readonly scene: FederationScene;
  readonly tell: (name: string, fields: NonNullable<EventDraft['fields']>, domain: string) => void;
}

/** Partners on no list: how much they may do, and what the operator is told of them. */
export class DiscoveredPartners {
  readonly policing: Policing;
  readonly #options: Omit<DiscoveredPartnersOptions, 'scene'>;
  #cancelReport: Cancel = () => {};
  #cancelReview: Cancel = () => {};

  constructor({ scene, ...options }: DiscoveredPartnersOptions) {
    this.#options = options;
    const { discovery } = scene.settings;
    this.policing = new Policing(discovery, ({ numbers, ...change }) =>
      options.tell('discovered-partner-limited', { ...change, ...numbers }, change.domain),
    );
    this.#planReport(discovery.reportMinutes);
    this.#planReview();
  }

  adopt({ settings: { discovery }, partners }: FederationScene): void {
    const standing = (domain: string): string | undefined => {
      const partner = partners.partnerFor(domain);
      if (typeof partner === 'string') return partner;
      return partner.kind === 'discovered' ? undefined : partner.kind;
    };
    this.policing.configure(discovery, standing, this.#options.clock.now());
    this.#planReport(discovery.reportMinutes);
  }
  stop(): void {
    this.#cancelReport();
    this.#cancelReview();
  }

  /** Who was discovered, every so often. */
  #planReport(minutes: number): void {
    this.#cancelReport();
    this.#cancelReport = this.#options.clock.after(minutes * MINUTE_MS, () => {
      for (const { limited, ...partner } of this.policing.report().slice(-MOST_REPORTED)) {
        this.#options.tell('discovered-partner', { ...partner, limited: limited.join(' ') }, partner.domain);
      }
      this.#planReport(minutes);
    });
  }
  #planReview(): void {
    this.#cancelReview = this.#options.clock.after(REVIEW_MS, () => {
      this.policing.review(this.#options.clock.now());
      this.#planReview();
    });
  }
}
