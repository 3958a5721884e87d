import type { Monotonic } from '#kernel';

/** A timer of one owner; running while it stands in a queue. */
export class Timer<Owner> {
  readonly owner: Owner;
  /** Meaningful while running. */
  due: Monotonic = 0;
  /** What it was last started with. */
  interval = 0;
  queue: TimerQueue<Owner> | undefined;
  previous: Timer<Owner> | undefined;
  next: Timer<Owner> | undefined;

  constructor(owner: Owner) {
    this.owner = owner;
  }
  get running(): boolean {
    return this.queue !== undefined;
  }
}

/** Timers of one duration. Time never goes back, so they fall due in the order in which they were started. */
interface TimerQueue<Owner> {
  head: Timer<Owner> | undefined;
  tail: Timer<Owner> | undefined;
}

/**
 * Any number of timers over a handful of durations: starting, stopping and firing cost a few assignments,
 * finding the next deadline costs one look per duration.
 */
export class TimerQueues<Owner> {
  readonly #byInterval = new Map<number, TimerQueue<Owner>>();
  readonly #queues: TimerQueue<Owner>[] = [];

  /** Starts or restarts. */
  start(timer: Timer<Owner>, interval: number, now: Monotonic): void {
    this.stop(timer);
    const queue = this.#queueOf(interval);
    const { tail } = queue;
    timer.interval = interval;
    // A caller whose clock stepped back must not break the order of the queue.
    timer.due = tail === undefined ? now + interval : Math.max(tail.due, now + interval);
    timer.queue = queue;
    timer.previous = tail;
    if (tail === undefined) queue.head = timer;
    else tail.next = timer;
    queue.tail = timer;
  }
  stop(timer: Timer<Owner>): void {
    const { queue, previous, next } = timer;
    if (queue === undefined) return;
    if (previous === undefined) queue.head = next;
    else previous.next = next;
    if (next === undefined) queue.tail = previous;
    else next.previous = previous;
    timer.queue = undefined;
    timer.previous = undefined;
    timer.next = undefined;
  }
  deadline(): Monotonic | undefined {
    let earliest: Monotonic | undefined;
    for (const { head } of this.#queues) {
      if (head !== undefined && (earliest === undefined || head.due < earliest)) earliest = head.due;
    }
    return earliest;
  }
  /** Stops and returns one timer that is due; undefined when none is. */
  takeDue(now: Monotonic): Timer<Owner> | undefined {
    for (const { head } of this.#queues) {
      if (head !== undefined && head.due <= now) {
        this.stop(head);
        return head;
      }
    }
    return undefined;
  }

  #queueOf(interval: number): TimerQueue<Owner> {
    let queue = this.#byInterval.get(interval);
    if (queue === undefined) {
      queue = { head: undefined, tail: undefined };
      this.#byInterval.set(interval, queue);
      this.#queues.push(queue);
    }
    return queue;
  }
}
