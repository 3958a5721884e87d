import { child, element, textOf, type XmlElement } from '#protocols/xml';
import { NS } from '#protocols/xmpp';

/** What somebody hears of somebody else's presence. */
export interface HeardByResident {
  readonly from: string;
  /** None: available. */
  readonly type: string | undefined;
  readonly show: string | undefined;
  readonly status: string | undefined;
}

export interface ResidentOptions {
  /** `user@domain`. */
  readonly address: string;
  readonly send: (stanza: XmlElement) => void;
  readonly onMessage: (from: string, text: string) => void;
  readonly onPresence: (heard: HeardByResident) => void;
  /** Something that this person sent came back as an error. */
  readonly onError: (what: string) => void;
}

const RESOURCE = 'balcony';
const RECEIPTS = 'urn:xmpp:receipts';

/**
 * One person at a partner with what their server does for them: chat messages, and presence as RFC 6121 has it for
 * two people, each asked and each answered.
 */
export class Resident {
  readonly #options: ResidentOptions;
  /** Who may see this person. */
  readonly #watchers = new Set<string>();
  #show: string | undefined;
  #count = 0;

  constructor(options: ResidentOptions) {
    this.#options = options;
  }
  get address(): string {
    return this.#options.address;
  }

  say(to: string, text: string): void {
    this.#count += 1;
    const body = element(NS.server, 'body', {}, [text]);
    this.#send('message', { from: this.#device, to, type: 'chat', id: `${this.#count}` }, [body]);
  }
  /** Asks to see somebody. */
  watch(who: string): void {
    this.#send('presence', { from: this.address, to: who, type: 'subscribe' });
  }
  unwatch(who: string): void {
    this.#send('presence', { from: this.address, to: who, type: 'unsubscribe' });
  }
  /** Lets somebody see this person, who is shown to them at once. */
  approve(who: string): void {
    this.#watchers.add(who);
    this.#send('presence', { from: this.address, to: who, type: 'subscribed' });
    this.#tell(who);
  }
  /** Shows this person so to all who may see them: `away`, `dnd`, or nothing special. */
  show(show: string | undefined): void {
    this.#show = show;
    for (const who of this.#watchers) this.#tell(who);
  }

  handleStanza(stanza: XmlElement): void {
    const from = stanza.attributes.get('from') ?? '';
    const type = stanza.attributes.get('type');
    if (type === 'error') {
      const condition = child(stanza, 'error')?.children.find((item) => typeof item !== 'string');
      this.#options.onError(
        `${from} answered ${typeof condition === 'object' ? condition.name : 'an error'}`,
      );
    } else if (stanza.name === 'message') {
      const body = child(stanza, 'body', NS.server);
      if (child(stanza, 'request', RECEIPTS) !== undefined) this.#confirm(from, stanza.attributes.get('id'));
      if (body !== undefined) this.#options.onMessage(from, textOf(body));
    } else if (stanza.name === 'iq' && type === 'get') {
      // As any server does; of all that can be asked for, our edge asks for a ping only.
      const [to, id] = [from, stanza.attributes.get('id')];
      this.#send('iq', { from: stanza.attributes.get('to'), to, id, type: 'result' });
    } else if (stanza.name === 'presence') this.#handlePresence(from, type, stanza);
  }
  /** XEP-0184: it has arrived. */
  #confirm(to: string, id: string | undefined): void {
    if (id === undefined) return;
    this.#send('message', { from: this.#device, to, type: 'chat' }, [element(RECEIPTS, 'received', { id })]);
  }
  #handlePresence(from: string, type: string | undefined, stanza: XmlElement): void {
    if (type === 'probe') {
      if (this.#watchers.has(bare(from))) this.#tell(bare(from));
      return;
    }
    if (type === 'unsubscribe') this.#watchers.delete(bare(from));
    const text = (name: string) => {
      const found = child(stanza, name, NS.server);
      return found === undefined ? undefined : textOf(found);
    };
    this.#options.onPresence({ from, type, show: text('show'), status: text('status') });
  }

  get #device(): string {
    return `${this.address}/${RESOURCE}`;
  }
  #tell(who: string): void {
    const shown = this.#show === undefined ? [] : [element(NS.server, 'show', {}, [this.#show])];
    this.#send('presence', { from: this.#device, to: who }, shown);
  }
  #send(
    name: string,
    attributes: Readonly<Record<string, string | undefined>>,
    children: readonly XmlElement[] = [],
  ): void {
    this.#options.send(element(NS.server, name, attributes, children));
  }
}

function bare(address: string): string {
  return address.split('/')[0] ?? '';
}
