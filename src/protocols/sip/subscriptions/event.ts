import type { SipMessage } from '../messages/message.ts';
import { readParameters } from './parameters.ts';

/** What an Event header names (RFC 6665 §8.2.1). */
export interface EventName {
  /** Package, with template packages behind a dot; lower case. */
  readonly package: string;
  /** Tells several subscriptions of one dialog apart. */
  readonly id?: string;
}

/** The Event of a SUBSCRIBE, NOTIFY or PUBLISH; undefined when it has none that can be read. */
export function eventOf(message: SipMessage): EventName | undefined {
  const [text, another] = message.values('Event');
  const read = text === undefined || another !== undefined ? undefined : readParameters(text);
  if (read === undefined) return undefined;
  const id = read.parameters.get('id');
  return { package: read.value, ...(id === undefined ? {} : { id }) };
}

export function formatEvent({ package: name, id }: EventName): string {
  return id === undefined ? name : `${name};id=${id}`;
}
