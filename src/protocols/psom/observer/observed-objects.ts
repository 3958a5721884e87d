import { meetingInterfaces } from '../meeting/interfaces.ts';
import { meeting } from '../meeting/meeting.ts';
import type { DistributedInterface } from '../objects/interface.ts';
import { type Side, type Weight, weightOf } from './weight.ts';

/** One object of a connection, as somebody between its ends knows it. */
export interface ObservedObject {
  readonly proxy: number;
  readonly name: string;
  readonly parent: ObservedObject | undefined;
  /** Undefined: none that a meeting is made of. */
  readonly declared: DistributedInterface | undefined;
  /** What each side may call on it, by number. */
  readonly methods: Readonly<Record<Side, readonly ObservedMethod[]>> | undefined;
  children: Set<ObservedObject> | undefined;
  /** Who has disconnected it; the other side will confirm. */
  leaving: Side | undefined;
}

/** A method as it is told. */
export interface ObservedMethod {
  readonly name: string;
  readonly weight: Weight;
}

/** Names of children that say where something hangs, and nothing of what people wrote. */
const KNOWN_NAME =
  /^(?:ContentManager|UploadManager|extendedContent|annotationContainer|(?:content|stream)\.-?\d{1,19})$/;
const interfaces = new Map(meetingInterfaces.map((declared) => [declared.name, declared]));
const methods = new Map(
  meetingInterfaces.map((declared) => [
    declared,
    { client: methodsOf(declared, 'client'), server: methodsOf(declared, 'server') },
  ]),
);
const MOST_DEPTH = 8;

/** How many objects more may be remembered, of all connections together. */
export interface ObjectBudget {
  left: number;
}

/** The objects of one connection, followed from outside; bounded, and never surprised by what either side does. */
export class ObservedObjects {
  readonly #root: ObservedObject = object(0, '', undefined, meeting);
  readonly #byProxy = new Map<number, ObservedObject>([[0, this.#root]]);
  readonly #most: number;
  readonly #budget: ObjectBudget;

  /** @param most objects at a time; what is connected beyond that, or beyond the budget, stays unknown */
  constructor(most: number, budget: ObjectBudget) {
    this.#most = most;
    this.#budget = budget;
  }
  get size(): number {
    return this.#byProxy.size;
  }
  find(proxy: number): ObservedObject | undefined {
    return this.#byProxy.get(proxy);
  }

  connect(proxy: number, parent: number, name: string, declared: string): void {
    const before = this.#byProxy.get(proxy);
    if (before === this.#root) return;
    if (before !== undefined) this.#free(before);
    const above = this.#byProxy.get(parent);
    if (this.#byProxy.size >= this.#most || this.#budget.left === 0 || above === undefined) return;
    const shown = KNOWN_NAME.test(name) ? name : `[${name.length} characters]`;
    const entry = object(proxy, shown, above, interfaces.get(declared));
    above.children ??= new Set();
    above.children.add(entry);
    this.#byProxy.set(proxy, entry);
    this.#budget.left -= 1;
  }
  /** One side has disconnected it, or confirms that the other has: then it is gone, with all that hangs below it. */
  disconnect(proxy: number, from: Side): void {
    const entry = this.#byProxy.get(proxy);
    if (entry === undefined || entry === this.#root) return;
    if (entry.leaving === undefined) entry.leaving = from;
    else if (entry.leaving !== from) this.#free(entry);
  }

  /** Forgets all but the root. */
  clear(): void {
    for (const child of [...(this.#root.children ?? [])]) this.#free(child);
  }

  #free(entry: ObservedObject): void {
    const going = [entry];
    for (let one = going.pop(); one !== undefined; one = going.pop()) {
      this.#byProxy.delete(one.proxy);
      this.#budget.left += 1;
      if (one.children !== undefined) going.push(...one.children);
    }
    entry.parent?.children?.delete(entry);
  }
}

/** `ContentManager/content.7/extendedContent`; what is not known by its number. */
export function pathOf(entry: ObservedObject | undefined, proxy: number): string {
  if (entry === undefined) return `#${proxy}`;
  const names: string[] = [];
  for (let one = entry; one.parent !== undefined && names.length < MOST_DEPTH; one = one.parent)
    names.unshift(one.name);
  return names.length === 0 ? 'Meeting' : names.join('/');
}

function object(
  proxy: number,
  name: string,
  parent: ObservedObject | undefined,
  declared: DistributedInterface | undefined,
): ObservedObject {
  const known = declared && methods.get(declared);
  return { proxy, name, parent, declared, methods: known, children: undefined, leaving: undefined };
}

function methodsOf({ name: declared, numbered }: DistributedInterface, from: Side): ObservedMethod[] {
  const called = from === 'client' ? numbered.server : numbered.client;
  return called.byNumber.map(({ name }) => ({ name, weight: weightOf(from, declared, name) }));
}
