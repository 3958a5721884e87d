import { startOwnPartner, type XmppPartner } from '#apps/xmpp-partner';
import { SystemClock, SystemRandom } from '#kernel';
import { child, element, textOf, type XmlElement } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import { labFiles } from '../../lab-plan.ts';
import { NameServer } from '../../name-server.ts';
import type { Perimeter } from '../../testing/perimeter.ts';
import type { Person } from '../person.ts';
import { until } from '../until.ts';

const RECEIPTS = 'urn:xmpp:receipts';
/** Messages of one side that nobody has said anything of. */
const MOST_OPEN = 8;
const PAUSE_MS = 5;
const AFTER_FAILURE_MS = 50;

/** What is known of one message. */
interface Fate {
  /** How often it was read. */
  read: number;
  /** What its sender was told: nothing yet, that it was accepted, or why it may not have arrived. */
  told: string | undefined;
}
export const ACCEPTED = 'accepted';

/** Messages of one direction, numbered; each has a fate. */
export class NumberedMessages {
  readonly fates: Fate[] = [];
  /** Called when somebody reads one, before anything is answered to that. */
  onRead: (() => void) | undefined;
  readonly #name: string;

  /** @param name tells the directions apart */
  constructor(name: string) {
    this.#name = name;
  }
  /** Text of the next one. */
  next(): string {
    this.fates.push({ read: 0, told: undefined });
    return `${this.#name}-${this.fates.length - 1}`;
  }
  get open(): number {
    return this.fates.filter(({ told }) => told === undefined).length;
  }
  /** Messages that arrived so far. */
  get read(): number {
    return this.fates.filter(({ read }) => read > 0).length;
  }
  handleRead(text: string): void {
    const fate = this.#of(text);
    if (fate === undefined) return;
    fate.read += 1;
    this.onRead?.();
  }
  /** An error after the word that it was accepted stays what it is: an error. */
  handleTold(text: string, told: string): void {
    const fate = this.#of(text);
    if (fate !== undefined && (fate.told === undefined || told !== ACCEPTED)) fate.told = told;
  }
  /** Those read more than once, and those of which nobody was told that they did not arrive. */
  wrong(): string[] {
    return this.fates.flatMap(({ read, told }, number) => {
      if (read > 1) return [`${this.#name}-${number} was read ${read} times (${told})`];
      return read === 0 && (told === undefined || told === ACCEPTED)
        ? [`${this.#name}-${number} was lost (${told})`]
        : [];
    });
  }
  #of(text: string): Fate | undefined {
    const [name, number] = text.split('-');
    return name === this.#name ? this.fates[Number(number)] : undefined;
  }
}

/** Bob inside and juliet at a partner, who write to one another as fast as they are answered. */
export class Correspondence {
  readonly fromBob = new NumberedMessages('bob');
  readonly fromJuliet = new NumberedMessages('juliet');
  readonly #bob: Person;
  readonly #domain: string;
  readonly #names: NameServer;
  #partner!: XmppPartner;
  #writing: Promise<unknown> = Promise.resolve();
  #over = false;

  private constructor(bob: Person, domain: string, names: NameServer) {
    this.#bob = bob;
    this.#domain = domain;
    this.#names = names;
  }

  /** @param entry where the partner finds our domain; the edge's own address, or a wire to it */
  static async start(perimeter: Perimeter, bob: Person, entry: string): Promise<Correspondence> {
    const { plan } = perimeter;
    const { partner } = plan;
    if (partner === undefined) throw new Error('this perimeter has no XMPP partner');
    const { nameServer, host, domain, address } = partner;
    const files = labFiles(plan);
    const hosts = new Map([
      [host, address],
      [plan.names.access, entry],
    ]);
    const names = await NameServer.start(nameServer.address, hosts, nameServer.port);
    const correspondence = new Correspondence(bob, domain, names);
    correspondence.#partner = await startOwnPartner({
      clock: new SystemClock(),
      random: new SystemRandom(),
      ...{ domain, address, nameServer },
      certificate: files.partner,
      authority: files.authority,
      peer: { domain: plan.domain, host: plan.names.access, address: entry },
      folder: files.partnerFolder,
      handleStanza: (stanza) => correspondence.#handleStanza(stanza),
      handleFate: (stanza, failed) => correspondence.#handleFate(stanza, failed),
      handleTrouble: () => {},
    });
    bob.onRead = (text) => correspondence.fromJuliet.handleRead(text);
    return correspondence;
  }

  write(): void {
    this.#writing = Promise.all([
      ...Array.from({ length: MOST_OPEN }, () => this.#writeAsBob()),
      this.#writeAsJuliet(),
    ]);
  }
  /** No more is written; resolves when something is known of every message. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#writing;
    await until('there is word of every message', () => {
      const lost = [...this.fromBob.wrong(), ...this.fromJuliet.wrong()];
      return this.fromBob.open + this.fromJuliet.open === 0 && !lost.some((one) => one.includes('lost'));
    }).catch(() => {});
  }
  async stop(): Promise<void> {
    this.#over = true;
    await this.#partner.stop();
    this.#names.stop();
  }

  async #writeAsBob(): Promise<void> {
    while (!this.#over) {
      const text = this.fromBob.next();
      await this.#bob.phone.message(`sip:juliet@${this.#domain}`, text).then(
        () => this.fromBob.handleTold(text, ACCEPTED),
        (problem: unknown) => {
          this.fromBob.handleTold(text, String(problem));
          return pause(AFTER_FAILURE_MS);
        },
      );
      await pause(PAUSE_MS);
    }
  }
  async #writeAsJuliet(): Promise<void> {
    while (!this.#over) {
      await pause(PAUSE_MS);
      if (this.fromJuliet.open >= MOST_OPEN) continue;
      const text = this.fromJuliet.next();
      const to = this.#bob.address.slice('sip:'.length);
      this.#send('message', { to, id: text, type: 'chat' }, [element(NS.server, 'body', {}, [text])]);
    }
  }

  /** What juliet's server was told of a message of hers. */
  #handleFate({ attributes }: XmlElement, failed: string | undefined): void {
    this.fromJuliet.handleTold(attributes.get('id') ?? '', failed ?? ACCEPTED);
  }
  #handleStanza(stanza: XmlElement): void {
    const { name, attributes } = stanza;
    const id = attributes.get('id');
    if (name !== 'message') return;
    if (attributes.get('type') === 'error') return this.fromJuliet.handleTold(id ?? '', textOfError(stanza));
    const body = child(stanza, 'body', NS.server);
    if (body === undefined) return;
    this.fromBob.handleRead(textOf(body));
    const received = element(RECEIPTS, 'received', { id });
    this.#send('message', { to: attributes.get('from'), type: 'chat' }, [received]);
  }
  #send(
    name: string,
    attributes: Readonly<Record<string, string | undefined>>,
    children: readonly XmlElement[],
  ): void {
    this.#partner.send(
      element(NS.server, name, { from: `juliet@${this.#domain}/desk`, ...attributes }, children),
    );
  }
}

function textOfError(stanza: XmlElement): string {
  const error = child(stanza, 'error', NS.server);
  return (error?.children ?? []).map((item) => (typeof item === 'string' ? '' : item.name)).join(' ');
}
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
