import { type HeardPresence, type Phone, PresenceClient } from '#apps/softphone';
import { type HeardByResident, Resident, type XmppPartner } from '#apps/xmpp-partner';
import { FailureError, failure, SystemClock } from '#kernel';
import type { XmlElement } from '#protocols/xml';
import { Inbox } from './inbox.ts';
import type { Narrator } from './narrator.ts';

type Message = { readonly from: string; readonly text: string };

/** One of ours, on stage. */
export interface SceneActor {
  readonly phone: Phone;
  readonly inbox: Inbox<Message>;
}

const clock = new SystemClock();

/** Romeo at the XMPP partner of the lab, and what he exchanges with alice and bob. */
export class XmppScene {
  readonly #narrator: Narrator;
  readonly #romeo: Resident;
  readonly #messages = new Inbox<Message>(clock, 'a message for romeo');
  readonly #presence = new Inbox<HeardByResident>(clock, 'presence for romeo');
  #partner: XmppPartner | undefined;

  /** @param domain of the partner */
  constructor(narrator: Narrator, domain: string) {
    this.#narrator = narrator;
    this.#romeo = new Resident({
      address: `romeo@${domain}`,
      send: (stanza) => this.#partner?.send(stanza),
      onMessage: (from, text) => this.#messages.put({ from, text }),
      onPresence: (heard) => this.#presence.put(heard),
      onError: (what) => this.handleTrouble(what),
    });
  }
  handleStanza(stanza: XmlElement): void {
    this.#romeo.handleStanza(stanza);
  }
  /** What is said if the scene fails. */
  handleTrouble(what: string): void {
    this.#messages.excuse(what);
    this.#presence.excuse(what);
  }

  /** Throws a FailureError at the first thing that fails. */
  async play(partner: XmppPartner, alice: SceneActor, bob: SceneActor): Promise<void> {
    this.#partner = partner;
    this.#narrator.part(`With romeo at an XMPP partner (${partner.title})`);
    await this.#exchangeMessages(alice);
    await this.#bobWatchesRomeo(bob);
    await this.#romeoWatchesBob(bob);
  }

  async #exchangeMessages({ phone, inbox }: SceneActor): Promise<void> {
    const romeo = `sip:${this.#romeo.address}`;
    await phone.message(romeo, 'Good morrow, Romeo. Is this the other side?');
    const question = await this.#messages.next();
    expect(question.from, bare(phone.address), 'the sender of a message');
    this.#narrator.step(`alice to romeo: "${question.text}"`, 'ext-05', 'int-03', 'int-01', 'xmpp-02');
    this.#romeo.say(bare(phone.address), 'It is, and no wall between.');
    const answer = await inbox.next();
    expect(answer.from.split(';')[0], romeo, 'the sender of an answer');
    this.#narrator.step(
      `romeo to alice: "${answer.text}"`,
      ...['ext-01', 'xmpp-01', 'int-01', 'int-02', 'ext-05'],
    );
  }

  async #bobWatchesRomeo({ phone }: SceneActor): Promise<void> {
    const heard = new Inbox<string>(clock, 'the presence of romeo');
    const watching = await new PresenceClient(phone).watch(`sip:${this.#romeo.address}`, (one) =>
      heard.put(shown(one)),
    );
    const asked = await this.#presence.next(({ type }) => type === 'subscribe');
    expect(asked.from, bare(phone.address), 'who asks');
    this.#narrator.step('bob asks to see romeo, and romeo is asked', 'more-02', 'int-01', 'xmpp-02');
    this.#romeo.approve(asked.from);
    await heard.next((state) => state === 'active open');
    this.#narrator.step('romeo approves: bob sees him available', ...INWARD);
    this.#romeo.show('away');
    await heard.next((state) => state === 'active open away');
    this.#narrator.step('romeo goes away, bob is notified: away', ...INWARD);
    await watching.end();
  }

  async #romeoWatchesBob({ phone }: SceneActor): Promise<void> {
    const [bob, presence] = [bare(phone.address), new PresenceClient(phone)];
    const asking = new Inbox<string>(clock, 'who wants to see bob');
    const list = await presence.watchers((watchers) => {
      for (const { uri, status } of watchers) asking.put(`${uri} ${status}`);
    });
    this.#romeo.watch(bob);
    const romeo = `sip:${this.#romeo.address}`;
    await asking.next((one) => one === `${romeo} pending`);
    this.#narrator.step('romeo asks to see bob, and bob is asked', ...INWARD);
    await presence.decide(romeo, 'allow');
    await this.#presence.next(({ type }) => type === 'subscribed');
    await presence.publish({ show: 'dnd', note: { text: 'at the balcony' } });
    const seen = await this.#presence.next(({ show }) => show === 'dnd');
    expect(seen.status, 'at the balcony', 'what romeo sees');
    this.#narrator.step('bob approves and publishes, romeo is told: dnd, at the balcony', ...OUTWARD);
    this.#romeo.unwatch(bob);
    await this.#presence.next(({ type }) => type === 'unsubscribed');
    await presence.withdraw();
    await list.end();
  }
}

const INWARD = ['ext-01', 'xmpp-01', 'int-01', 'more-02'];
const OUTWARD = ['more-02', 'int-01', 'xmpp-02'];

function shown({ state, document }: HeardPresence): string {
  const tuple = document?.tuples[0];
  return [state, tuple?.basic, tuple?.show].filter(Boolean).join(' ');
}

function bare(uri: string): string {
  return uri.replace(/^sip:/, '');
}

function expect(actual: string | undefined, expected: string, what: string): void {
  if (actual !== expected)
    throw new FailureError(failure('SLP-APP-0009', `${what} is ${actual}, not ${expected}`));
}
