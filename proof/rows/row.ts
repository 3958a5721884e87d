import type { EdgeName } from '../network/addresses.ts';
import type { Perimeter } from '../programs/perimeter.ts';

/** Which rules have to have counted a row's flow. */
export interface Passage {
  /** The firewall between the edges and the other side; undefined when both ends are on one wire. */
  readonly firewall?: 'externalFirewall' | 'internalFirewall';
  readonly edges: readonly EdgeName[];
}

/** What a flow has shown; that it returns means that both ends agreed. */
export interface Evidence {
  /** One sentence: who did what, and what the other end saw. */
  readonly seen: string;
  readonly passage: Passage;
  /**
   * `new`: the flow began while it ran, so the counters moved meanwhile. `kept`: it rode on a connection that was
   * opened when the programs started, which the rules counted then.
   */
  readonly connection: 'new' | 'kept';
}

/** How a port row is proven, on a stage that is the perimeter but in tests of the proof itself. */
export type RowProof<Stage = Perimeter> =
  /** A real flow; throws when it is not what it should be. */
  | { readonly id: string; readonly run: (perimeter: Stage) => Promise<Evidence> }
  /** The same flow as another row: proven with it when the rule that counted it carries this row too. */
  | { readonly id: string; readonly sameFlowAs: string };
