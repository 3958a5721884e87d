import type { Result } from '#kernel';
import type { DocumentFinding, ServiceName } from '#platform/topology';

/** How a document can come to a program from elsewhere: a service receives it, the supervisor judges and keeps it. */
export interface OfferJudge<Document> {
  /** The service whose offers are looked at. */
  readonly service: ServiceName;
  /**
   * Verifies what arrived and stores it beside what runs. Changes nothing that runs, and may be given anything.
   * @param documentFile the program's document
   * @param offer path of the file that the service received
   */
  judge(documentFile: string, offer: string): Judgement<Document>;
}

export type Judgement<Document> =
  /** It runs already. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly problems: readonly string[] }
  | {
      readonly kind: 'ready';
      readonly load: () => Result<Document, readonly DocumentFinding[]>;
      /** All services run with it and are healthy: makes it what a restart runs. @throws when the disk refuses */
      readonly keep: () => void;
      /** Called once, after `keep` or without it. */
      readonly settle: (outcome: 'applied' | 'refused' | 'rolled-back', problems: readonly string[]) => void;
    };
