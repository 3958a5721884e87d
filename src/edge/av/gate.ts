/** What can be read from, or not for a while. */
export interface Readable {
  pause(): void;
  resume(): void;
}

/** Reading is paused while anybody has a reason for it. */
export class Gate {
  readonly #source: Readable;
  #holds = 0;
  #isGivenUp = false;

  constructor(source: Readable) {
    this.#source = source;
  }
  get isHeld(): boolean {
    return this.#holds > 0;
  }
  /** Nothing is read from now on; gives the way back, which counts once. */
  hold(): () => void {
    let isHeld = true;
    this.#holds += 1;
    if (this.#holds === 1) this.#source.pause();
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds -= 1;
      if (this.#holds === 0 && !this.#isGivenUp) this.#source.resume();
    };
  }
  /** Somebody else decides from now on. */
  giveUp(): void {
    this.#isGivenUp = true;
  }
}
