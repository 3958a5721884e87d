const PATIENCE_MS = 30_000;

/** Things that arrive, for the one who waits for the next. */
export class Arrivals<Thing> {
  readonly #what: string;
  readonly #here: Thing[] = [];
  readonly #waiting: ((thing: Thing) => void)[] = [];

  constructor(what: string) {
    this.#what = what;
  }

  put(thing: Thing): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#here.push(thing);
    else waiting(thing);
  }
  next(): Promise<Thing> {
    const here = this.#here.shift();
    if (here !== undefined) return Promise.resolve(here);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.#what} did not arrive`)), PATIENCE_MS);
      this.#waiting.push((thing) => {
        clearTimeout(timer);
        resolve(thing);
      });
    });
  }
}
