import { Participant, type ParticipantOptions } from '#apps/participant';
import { FailureError, failure, SystemClock, SystemRandom } from '#kernel';
import { loadTrustAnchors } from '#platform/pki';
import { parseMeetingLink } from '#protocols/conference';
import { type LabPlan, labFiles, type Person, type Place } from './lab-plan.ts';
import type { Narrator } from './narrator.ts';
import type { LabSecrets } from './set-up.ts';

export interface MeetingSceneOptions {
  readonly plan: LabPlan;
  readonly secrets: LabSecrets;
  readonly narrator: Narrator;
  /** Of a meeting that guests may join and alice presents. */
  readonly link: string;
  readonly authorityPem: string;
}

const OUTSIDE = ['ext-05', 'int-03', 'ext-08', 'int-04'];
const INSIDE = ['more-02', 'more-12'];
const THROUGH_EDGE = ['ext-08', 'int-04'];
const QUESTION = 'Shall we build it?';
const CHOICES = ['Yes', 'No'];
const GUEST = 'Grace';

/** Alice outside, bob inside and a guest outside draw on one whiteboard and vote. */
export class MeetingScene {
  readonly #options: MeetingSceneOptions;
  readonly #people: Participant[] = [];

  constructor(options: MeetingSceneOptions) {
    this.#options = options;
  }

  /** Throws a FailureError at the first thing that fails. */
  async play(): Promise<void> {
    const { narrator } = this.#options;
    narrator.part('A web conference');
    try {
      const alice = await this.#join('alice', 'tls');
      narrator.step('alice, outside, joins: INVITE to the focus, PSOM over TLS with its token', ...OUTSIDE);
      const grace = await this.#join(undefined, 'webSocket');
      narrator.step('a guest, outside, joins with the key of the link, PSOM in a WebSocket', ...OUTSIDE);
      const bob = await this.#join('bob', 'tls');
      narrator.step('bob, inside, joins at the door of the service', ...INSIDE);
      const everybody = [alice, grace, bob];
      for (const one of everybody) await one.until('three are there', ({ users }) => users.length === 3);
      await this.#draw(alice, grace, bob);
      await this.#vote(alice, grace, bob);
      for (const one of everybody.reverse()) await one.leave();
      narrator.step('everybody leaves: BYE, 200', 'ext-05', 'int-03', 'more-02');
    } finally {
      await Promise.allSettled(this.#people.map((one) => one.leave()));
    }
  }

  async #draw(alice: Participant, grace: Participant, bob: Participant): Promise<void> {
    const { narrator } = this.#options;
    const board = await alice.commands.create('Sketch', 'Content.Whiteboard');
    if (!board.ok) throw unexpected(`alice could not make a whiteboard: ${board.error}`);
    alice.commands.present(board.value);
    for (const one of [grace, bob])
      await one.until('the whiteboard is shown', ({ activeContent }) => activeContent === board.value);
    narrator.step('alice shows a whiteboard', ...THROUGH_EDGE, 'more-12');
    const line = (points: number[]) =>
      ({ page: 1, kind: 'pen', colour: 0x33_66_cc, width: 4, points }) as const;
    for (const [index, [name, one]] of Object.entries({ alice, 'the guest': grace, bob }).entries()) {
      const points = [100 + index, 100, 200, 200 + index];
      one.commands.draw(board.value, line(points));
      for (const other of [alice, grace, bob])
        await other.until(`a line of ${name} is there`, ({ contents }) =>
          contents.some(({ annotations }) =>
            annotations?.all.some((drawn) => drawn.points.join() === points.join()),
          ),
        );
      narrator.step(`${name} draws a line, and all three see it`, ...THROUGH_EDGE, 'more-12');
    }
  }

  async #vote(alice: Participant, grace: Participant, bob: Participant): Promise<void> {
    const { narrator } = this.#options;
    const poll = await alice.commands.create('Decision', 'Content.Poll');
    if (!poll.ok) throw unexpected(`alice could not make a poll: ${poll.error}`);
    alice.commands.setQuestion(poll.value, QUESTION, CHOICES, false);
    alice.commands.present(poll.value);
    alice.commands.setPollOpen(poll.value, true);
    alice.commands.setResultsShown(poll.value, true);
    const everybody = [alice, grace, bob];
    const pollOf = (one: Participant) => one.snapshot.contents.find(({ id }) => id === poll.value)?.poll;
    for (const [index, one] of everybody.entries()) {
      await one.until('the poll is open', () => pollOf(one)?.open === true);
      one.commands.vote(poll.value, [index === 2 ? 1 : 0]);
    }
    for (const one of everybody)
      await one.until('all votes are counted', () => pollOf(one)?.results?.votes.join() === '2,1');
    narrator.step(`all three vote: "${QUESTION}" yes 2, no 1`, ...THROUGH_EDGE, 'more-12');
  }

  /** @param person nobody: a guest */
  async #join(person: Person | undefined, by: ParticipantOptions['by']): Promise<Participant> {
    const { plan, secrets, link, authorityPem } = this.#options;
    const parsed = parseMeetingLink(link);
    const trust = loadTrustAnchors(labFiles(plan).authority);
    if (parsed === undefined) throw unexpected(`${link} is no meeting link`);
    if (!trust.ok) throw new FailureError(trust.error);
    const { domain, names, access, frontEnd, clients } = plan;
    const inside = person === 'bob';
    const at = (place: Place, name: string) => ({ ...place, name });
    const participant = await Participant.join({
      clock: new SystemClock(),
      random: new SystemRandom(),
      conference: parsed.conference,
      key: parsed.key,
      who:
        person === undefined
          ? { kind: 'guest', displayName: GUEST }
          : { kind: 'user', address: `sip:${person}@${domain}`, password: secrets.passwords[person] },
      server: inside ? at(frontEnd, names.frontEnd) : at(access, names.access),
      localAddress: inside ? clients.bob : person === undefined ? clients.carol : clients.alice,
      trust: trust.value,
      authority: authorityPem,
      hosts: new Map([
        [names.webConferencing, plan.webConferencing.address],
        [names.frontEnd, frontEnd.address],
      ]),
      by,
    });
    this.#people.push(participant);
    await participant.until('the meeting is told', ({ phase }) => phase === 'live');
    return participant;
  }
}

function unexpected(what: string): FailureError {
  return new FailureError(failure('SLP-APP-0009', what));
}
