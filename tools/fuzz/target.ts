/**
 * One parser in one state, as the fuzzer drives it. `run` must hold for every input: it throws when a property
 * breaks and returns otherwise (a refusal by the parser is a return).
 */
export interface FuzzTarget {
  /** Unique, kebab-case: parser and state, `sip-framer-mid-body`. */
  readonly name: string;
  /** Valid and nearly valid inputs to start from; at least one. */
  readonly seeds: readonly Uint8Array[];
  /** For how many inputs one of this target counts, where each is a whole conversation; 1 when left out. */
  readonly counts?: number;
  run(input: Uint8Array): void;
}
