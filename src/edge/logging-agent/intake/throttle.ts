import { BoundedMap, type Monotonic } from '#kernel';

/** Events of one component that were held back in one second. */
export interface HeldBack {
  readonly service: string;
  readonly component: string;
  readonly count: number;
}

interface Second {
  begun: Monotonic;
  admitted: number;
  /** Of this second, and of those before that nobody was told of. */
  held: number;
  over: number;
}

const SECOND = 1000;

/** So many events a second of each component; the components beyond `components` share one allowance. */
export class Throttle {
  readonly #components: BoundedMap<string, Second>;
  readonly #held = new Map<string, number>();
  #perSecond: number;
  #total = 0;

  constructor(perSecond: number, components = 1024) {
    this.#perSecond = perSecond;
    this.#components = new BoundedMap(components);
  }
  configure(perSecond: number): void {
    this.#perSecond = perSecond;
  }
  /** Held back since the start. */
  get total(): number {
    return this.#total;
  }
  /** Of each component since the start, those with most first. */
  get worst(): { component: string; suppressed: number }[] {
    return [...this.#held]
      .map(([component, suppressed]) => ({ component, suppressed }))
      .sort((one, other) => other.suppressed - one.suppressed)
      .slice(0, 64);
  }

  /** Whether one more may be stored. */
  admit(service: string, component: string, now: Monotonic): boolean {
    const second = this.#second(`${service}/${component}`, now);
    if (now - second.begun < SECOND) {
      if (second.admitted < this.#perSecond) {
        second.admitted += 1;
        return true;
      }
      second.held += 1;
      this.#total += 1;
      return false;
    }
    second.begun = now;
    second.over += second.held;
    second.held = 0;
    second.admitted = 1;
    return true;
  }

  /** What was held back in seconds that are over, told once. */
  takeHeldBack(now: Monotonic): HeldBack[] {
    const told: HeldBack[] = [];
    for (const [name, second] of this.#components) {
      if (now - second.begun >= SECOND) {
        second.over += second.held;
        second.held = 0;
      }
      if (second.over === 0) continue;
      const [service = '', component = ''] = name.split('/', 2);
      told.push({ service, component, count: second.over });
      this.#held.set(name, (this.#held.get(name) ?? 0) + second.over);
      second.over = 0;
    }
    return told;
  }

  #second(name: string, now: Monotonic): Second {
    const known = this.#components.get(name);
    if (known !== undefined) return known;
    const second: Second = { begun: now, admitted: 0, held: 0, over: 0 };
    if (this.#components.set(name, second)) return second;
    const shared = this.#components.get(OTHERS);
    if (shared !== undefined) return shared;
    // Room for the one that all others share.
    const oldest = this.#components.keys().next().value;
    if (oldest !== undefined) this.#components.delete(oldest);
    this.#components.set(OTHERS, second);
    return second;
  }
}
const OTHERS = 'others/others';
