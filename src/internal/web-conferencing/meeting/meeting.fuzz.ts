import { isDeepStrictEqual } from 'node:util';
import { ManualClock } from '#kernel';
import { MeetingView, type ParameterValue } from '#protocols/psom';
import type { FuzzTarget } from '#tools/fuzz';
import { Session } from '../session.ts';
import { Wire } from '../testing/table.ts';
import { bounds } from './limits.ts';
import { Meeting } from './meeting.ts';
import type { ConferenceRecord } from './records.ts';
import type { AnyObject } from './shared-object.ts';
import type { Surroundings } from './surroundings.ts';

const clock = new ManualClock();
const LIMITS = {
  ...{ participants: 5, standings: 5, contents: 4, annotations: 6, fileBytes: 1000, meetingBytes: 2000 },
};
const STEPS = 40;

/** Numbers that a hostile participant would think of. */
const NUMBERS = [0, 1, 2, 3, 5, 7, -1, 500, 501, 0xff_ff_ff, 2 ** 31 - 1, -(2 ** 31)];
const TEXTS = [
  '',
  'a',
  'Board',
  'board ',
  '1',
  '2',
  '../x',
  '\u202E\u0000',
  'Content.Poll',
  'Content.Ppt',
  'Content.Whiteboard',
  'x'.repeat(3000),
];

/** Draws values of what is declared from the input's bytes. */
class Dice {
  readonly #input: Uint8Array;
  #at = 0;
  constructor(input: Uint8Array) {
    this.#input = input;
  }
  get empty(): boolean {
    return this.#at >= this.#input.length;
  }
  roll(sides: number): number {
    return (this.#input[this.#at++] ?? 0) % sides;
  }
  value(type: string): ParameterValue {
    switch (type) {
      case 'Boolean':
        return this.roll(2) === 1;
      case 'String':
        return TEXTS[this.roll(TEXTS.length)] ?? '';
      case 'Byte[]':
        return new Uint8Array(this.roll(200));
      case 'Int32[]':
        return Array.from({ length: this.roll(6) }, () => this.#number());
      case 'String[]':
        return Array.from({ length: this.roll(4) }, () => TEXTS[this.roll(TEXTS.length)] ?? '');
      default:
        return this.#number();
    }
  }
  #number(): number {
    return NUMBERS[this.roll(NUMBERS.length)] ?? 0;
  }
}

/** A meeting and whoever is in it, in one thread of control. */
class Room {
  readonly meeting: Meeting;
  readonly #speaking = new Set<Session>();

  constructor() {
    const conference: ConferenceRecord = {
      ...{
        id: 'a'.repeat(16),
        key: '',
        title: 'Plans',
        organizer: 'a@x.example',
        guests: true,
        federated: true,
      },
      ...{
        locked: false,
        created: 0,
        expires: 2 ** 50,
        ended: undefined,
        nextParticipant: 1,
        nextContent: 1,
      },
      ...{ nextOrder: 1, activeContent: 0, activePresenter: 0 },
    };
    const nothing = { standings: [], participants: [], contents: [], slides: [], annotations: [], votes: [] };
    const around: Surroundings = {
      wall: () => clock.wall(),
      limits: () => LIMITS,
      files: { begin: () => ({ write: (_, done) => done(undefined), finish: () => {}, abandon: () => {} }) },
      ...{ note: () => {}, contentToken: () => 'token', handleDeparture: () => {}, handleRoster: () => {} },
    };
    this.meeting = new Meeting({ conference, ...nothing }, around);
  }
  join(address: string): { view: MeetingView; session: Session } | undefined {
    const admitted = this.meeting.admit({
      address,
      displayName: '',
      kind: 'user',
      outside: false,
      device: '',
    });
    if (!admitted.ok) return undefined;
    const wire = new SyncWire();
    const view: MeetingView = new MeetingView({ onOutput: () => {} });
    wire.onSent = (bytes) => view.handleBytes(bytes, 0);
    wire.send = () => view.takeOutput();
    const session = new Session({
      ...{ clock, meeting: this.meeting, participant: admitted.value, connection: wire },
      limits: { callsPerSecond: 1_000_000, waitingBytes: 1 << 22 },
      onOutput: (one) => void this.#speaking.add(one),
      onClosed: (one) => this.meeting.stand(one),
    });
    view.join('token', 0);
    view.takeOutput();
    this.meeting.sit(session);
    session.open('resume');
    this.settle([wire]);
    return { view, session };
  }
  settle(wires: readonly SyncWire[] = []): void {
    for (let round = 0; round < 50; round++) {
      const speaking = [...this.#speaking];
      this.#speaking.clear();
      for (const session of speaking) session.flush();
      let said = 0;
      for (const wire of new Set([...SyncWire.open, ...wires])) {
        for (const frame of wire.closed ? [] : wire.send()) {
          said++;
          wire.onData(Buffer.from(frame));
        }
      }
      if (speaking.length === 0 && said === 0) return;
    }
    throw new Error('it does not come to rest');
  }
  /** Objects that somebody could call. */
  objects(): AnyObject[] {
    const { contents } = this.meeting;
    const all: AnyObject[] = [this.meeting, contents, contents.uploads];
    for (const content of contents.all()) {
      all.push(content);
      if (content.extended !== undefined) all.push(content.extended);
      if (content.extended !== undefined && 'annotations' in content.extended)
        all.push(content.extended.annotations);
    }
    return all;
  }
  check(): void {
    const { roster, contents } = this.meeting;
    if (roster.size > LIMITS.participants || contents.size > LIMITS.contents) throw new Error('too many');
    if (contents.uploads.underWay > bounds.uploads) throw new Error('too many uploads');
    for (const { extended } of contents.all()) {
      if (extended === undefined || !('annotations' in extended)) continue;
      const { count, weight } = extended.annotations;
      if (count > LIMITS.annotations || weight < 0 || weight > bounds.contentPoints)
        throw new Error('too much drawn');
    }
  }
}

/** Delivers at once. */
class SyncWire extends Wire {
  static readonly open = new Set<SyncWire>();
  send: () => Uint8Array[] = () => [];
  constructor() {
    super();
    SyncWire.open.add(this);
  }
  override write(bytes: Uint8Array): boolean {
    if (!this.closed) this.onSent(bytes);
    return true;
  }
}

/** What two attendees see alike. */
function common(view: MeetingView): unknown {
  const { title, locked, users, contents, activeContent, activePresenter, availableSpace } = view.snapshot();
  const alike = contents.map(({ annotations, poll, ...rest }) => ({
    ...rest,
    drawn: annotations?.all,
    poll: poll && { ...poll, ownVote: [] },
  }));
  return { title, locked, users, alike, activeContent, activePresenter, availableSpace };
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'web-conferencing/meeting',
    // Up to 40 calls, each told to everybody, and three who join: an input of most targets is one message.
    counts: 10,
    seeds: [
      Uint8Array.from([0, 1, 3, 2, 1, 0, 1, 5, 1, 8]),
      Uint8Array.from({ length: 200 }, (_, index) => (index * 37) % 256),
      Uint8Array.from({ length: 200 }, (_, index) => (index * 101 + 7) % 256),
    ],
    run(input) {
      SyncWire.open.clear();
      const dice = new Dice(input);
      const room = new Room();
      const early = ['a@x.example', 'b@x.example'].map((address) => room.join(address));
      // Something to work on, whatever the dice say.
      early[0]?.session.meeting.contents.handle(early[0].session, 'sReserveTitle', ['Board', 900]);
      room.meeting.contents.handle(early[0]!.session, 'sCreateContent', [900, 'Content.Whiteboard']);
      room.settle();
      for (let step = 0; step < STEPS && !dice.empty; step++) {
        const who = early[dice.roll(early.length)];
        const objects = room.objects();
        const object = objects[dice.roll(objects.length)];
        const methods = object?.declared.numbered.server.byNumber ?? [];
        const method = methods[dice.roll(Math.max(1, methods.length))];
        if (who === undefined || object === undefined || method === undefined) continue;
        object.handle(
          who.session,
          method.name,
          method.types.map((type) => dice.value(type)),
        );
        room.settle();
        room.check();
      }
      const [, bob] = early;
      // Who was shown the door sees nothing more.
      if (bob === undefined || room.meeting.roster.find(bob.session.participant.number) === undefined) return;
      const late = room.join('c@x.example');
      if (late === undefined || bob.view.phase !== 'live' || bob.session.participant.presenter) return;
      room.settle();
      if (!isDeepStrictEqual(common(bob.view), common(late.view)))
        throw new Error(
          `who comes late sees ${JSON.stringify(common(late.view))}, not ${JSON.stringify(common(bob.view))}`,
        );
    },
  },
];
