import type { Perimeter } from '../programs/perimeter.ts';

/** One thing that must not be possible, tried. */
export interface NegativeCheck {
  readonly name: string;
  /** What was found that should not be there; empty when the check holds. */
  run(perimeter: Perimeter): Promise<string[]>;
}
