import { z } from 'zod';
import { type Failure, FailureError, failure, type Result } from '#kernel';
import { type VerbHandler, verb } from '#platform/service';
import type { ConferenceRecord } from './meeting/records.ts';
import type { Running } from './running.ts';

const HOUR_MS = 3_600_000;
const MOST_PRESENTERS = 100;

const address = z.string().max(320);
const meeting = z.string().max(400);
const about = z.strictObject({ meeting });
const whom = z.strictObject({ meeting, address });
const wanted = z.strictObject({
  title: z.string().max(1000),
  organizer: address,
  presenters: z.array(address).max(MOST_PRESENTERS).default([]),
  guests: z.boolean().default(false),
  federated: z.boolean().default(false),
  hours: z.int().min(1).max(87_600).optional(),
});

/** What an operator may ask of the service. */
export function meetingVerbs(running: () => Running | undefined): Readonly<Record<string, VerbHandler>> {
  const current = (): Running => {
    const found = running();
    if (found === undefined) throw new FailureError(failure('SLP-WEB-0050'));
    return found;
  };
  /** A meeting by its id, its address or its link. */
  const idOf = (text: string): string => {
    const id = /(?:^|sip:|sip%3A)([a-z2-7]{16})(?:@|%40|$)/i.exec(text)?.[1]?.toLowerCase() ?? '';
    if (current().meetings.recordOf(id) === undefined) throw new FailureError(failure('SLP-WEB-0052', text));
    return id;
  };
  return {
    /** Links to edges. */
    links: verb(z.strictObject({}), () =>
      current()
        .participants.links()
        .map(({ edge, address, state, place, participants }) => ({
          ...{ edge, address, state: state ?? 'opening', participants },
          place: place === undefined ? '' : `${place.host}:${place.port}`,
        })),
    ),
    keys: verb(z.strictObject({}), () => current().keyRoll.show()),
    'keys-roll': verb(z.strictObject({}), () => take(current().keyRoll.begin())),
    ...makingVerbs(current, idOf),
    ...rulingVerbs(current, idOf),
  };
}

function makingVerbs(current: () => Running, idOf: (text: string) => string): Record<string, VerbHandler> {
  return {
    create: verb(wanted, ({ hours, organizer, presenters, ...rest }) => {
      const { meetings } = current();
      const made = meetings.create({
        ...rest,
        organizer: addressOf(organizer),
        presenters: presenters.map(addressOf),
        lifeMs: hours === undefined ? undefined : hours * HOUR_MS,
      });
      return current().view(take(made));
    }),
    list: verb(z.strictObject({}), () =>
      current()
        .meetings.list()
        .map((record) => {
          const { id, title, organizer, expires, ended } = record;
          const { entries } = current().meetings.roster(id);
          const until = new Date(ended ?? expires).toISOString();
          return { id, title, organizer, until, state: stateOf(record), participants: entries.length };
        }),
    ),
    show: verb(about, ({ meeting: text }) => {
      const id = idOf(text);
      const record = current().meetings.recordOf(id);
      const { entries } = current().meetings.roster(id);
      const facts = current().meetings.find(id);
      if (record === undefined || facts === undefined) throw new FailureError(failure('SLP-WEB-0052', text));
      return { ...current().view(record), presenters: facts.presenters, participants: entries };
    }),
  };
}

function rulingVerbs(current: () => Running, idOf: (text: string) => string): Record<string, VerbHandler> {
  const change = (text: string, what: (id: string) => void) => {
    const { meetings } = current();
    const id = idOf(text);
    what(id);
    if (!meetings.flush()) throw new FailureError(failure('SLP-WEB-0056'));
    return { done: true };
  };
  const decide = (text: string, decided: (id: string) => boolean) =>
    change(text, (id) => {
      if (!decided(id)) throw new FailureError(failure('SLP-WEB-0059', id));
    });
  const meetingOf = (id: string) => {
    const found = current().meetings.open(id);
    if (found === undefined) throw new FailureError(failure('SLP-WEB-0052', id));
    if (found.record.ended !== undefined) throw new FailureError(failure('SLP-WEB-0057', id));
    return found;
  };
  return {
    lock: verb(about, ({ meeting: text }) => change(text, (id) => meetingOf(id).setLocked(true))),
    unlock: verb(about, ({ meeting: text }) => change(text, (id) => meetingOf(id).setLocked(false))),
    end: verb(about, ({ meeting: text }) => change(text, (id) => meetingOf(id).end())),
    /** The address may come in though the meeting is locked, or though it was removed. */
    admit: verb(whom, ({ meeting: text, address: who }) =>
      decide(text, (id) => meetingOf(id).allow(addressOf(who))),
    ),
    remove: verb(whom, ({ meeting: text, address: who }) =>
      decide(text, (id) => meetingOf(id).ban(addressOf(who))),
    ),
    present: verb(whom, ({ meeting: text, address: who }) =>
      decide(text, (id) => meetingOf(id).appoint(addressOf(who))),
    ),
  };
}

function stateOf({ locked, ended }: ConferenceRecord): string {
  return ended !== undefined ? 'ended' : locked ? 'locked' : 'open';
}
function take<T>(outcome: Result<T, Failure>): T {
  if (!outcome.ok) throw new FailureError(outcome.error);
  return outcome.value;
}
function addressOf(text: string): string {
  const found = /^(?:sip:)?([^\s@;?<>"]{1,64}@[a-z0-9.-]{1,253})$/i.exec(text)?.[1];
  if (found === undefined) throw new FailureError(failure('SLP-WEB-0055', text));
  return found.toLowerCase();
}
