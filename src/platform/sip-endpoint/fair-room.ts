/** Of what many share, so much is kept for what goes on: what begins anew finds it full sooner. */
const KEPT_FOR_DIALOGS = 1 / 8;

/** Something that many share, at one moment. In any one unit: entries, bytes. */
export interface Room {
  readonly capacity: number;
  /** By all together. */
  readonly used: number;
}

/**
 * Whether one of those who share a room may have more of it: for as long as it holds less than what is left for everybody
 * (a dynamic threshold with a factor of 1; Choudhury and Hahne 1998). One that takes all it can get leaves a half, n of
 * them leave an (n + 1)th, so there is always room for whoever holds little, and nothing is set aside while few ask.
 * @param held by the one who asks
 */
export function hasRoom({ capacity, used }: Room, held: number, withinDialog: boolean): boolean {
  return held < (withinDialog ? capacity : capacity * (1 - KEPT_FOR_DIALOGS)) - used;
}
