import { type Clock, FailureError, failure } from '#kernel';

const WAIT_MS = 10_000;
const LOOK_MS = 100;

/** Things that arrived, for the one who waits for the next. */
export class Inbox<Item> {
  readonly #clock: Clock;
  readonly #what: string;
  readonly #arrived: Item[] = [];
  #waiting: (() => void) | undefined;
  #trouble = '';

  /** @param what of which one is awaited, for people: `a message` */
  constructor(clock: Clock, what: string) {
    this.#clock = clock;
    this.#what = what;
  }

  readonly put = (item: Item): void => {
    this.#arrived.push(item);
    this.#waiting?.();
  };
  /** Something that may be why nothing arrives. */
  readonly excuse = (trouble: string): void => {
    this.#trouble = `: ${trouble}`;
  };
  /** The first one that is so; those before it are forgotten. Throws a FailureError after ten seconds without. */
  async next(isSo: (item: Item) => boolean = () => true): Promise<Item> {
    const deadline = this.#clock.now() + WAIT_MS;
    for (;;) {
      const found = this.#arrived.shift();
      if (found !== undefined && isSo(found)) return found;
      if (found !== undefined) continue;
      if (this.#clock.now() > deadline)
        throw new FailureError(failure('SLP-APP-0009', `${this.#what} did not arrive${this.#trouble}`));
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(LOOK_MS, resolve);
        this.#waiting = () => {
          cancel();
          resolve();
        };
      });
    }
  }
}
