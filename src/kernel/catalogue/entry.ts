/** Who has to act: the peer that sent it, the operator of this server, or its authors. */
export type Blame = 'peer' | 'operator' | 'self';

/** One row of the error catalogue; `docs/reference/errors.md` is generated from these. */
export interface CatalogueEntry {
  readonly blame: Blame;
  /** What happened, for the log; occurrences add their detail after a colon. */
  readonly summary: string;
  /** What the peer is told on the wire, if anything. */
  readonly peer?: string;
  /** What the operator can do about it. */
  readonly remedy: string;
}

export type Catalogue = { readonly [code in `SLP-${string}-${number}`]: CatalogueEntry };
