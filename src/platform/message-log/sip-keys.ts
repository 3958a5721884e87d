import { type EventKeys, normaliseKey } from '#protocols/log-query';
import { type NameAddress, parseNameAddress, type SipMessage } from '#protocols/sip';
import { traceOf } from './trace-id.ts';

/** Values of one key; more is not stored. */
const MOST = 4;
const CONFERENCE = /;opaque=app:conf:[^:;?]+:id:([^;?]+)/i;
/** A conference of our own. People whose names look the same get a key more, and lose nothing. */
const OWN_CONFERENCE = /^sips?:([a-z2-7]{16})@/i;
const PHONE = /^\+?[0-9().-]{5,}$/;

/** By what a SIP message is found: its call, who speaks with whom, numbers, domains and the conference. */
export function sipKeys(message: SipMessage): EventKeys {
  const parties = [message.from.uri, message.to.uri];
  if (message.kind === 'request' && message.uri !== message.to.uri) parties.push(message.uri);
  const asserted = assertedBy(message);
  if (asserted !== undefined) parties.push(asserted);
  const addresses = unique(parties.map((uri) => normaliseKey('uri', uri)));
  const domains = unique(addresses.map(domainOf));
  const phones = unique(parties.map(phoneOf));
  const conferences = unique(parties.map(conferenceOf));
  return {
    callId: [message.callId],
    uri: addresses,
    trace: [traceOf(message.callId)],
    ...(domains.length === 0 ? {} : { domain: domains }),
    ...(phones.length === 0 ? {} : { phone: phones }),
    ...(conferences.length === 0 ? {} : { conference: conferences }),
  };
}

function assertedBy(message: SipMessage): string | undefined {
  const value = message.header('P-Asserted-Identity');
  if (value === undefined) return undefined;
  const parsed: NameAddress | undefined = ((result) => (result.ok ? result.value : undefined))(
    parseNameAddress(value),
  );
  return parsed?.uri;
}

function domainOf(address: string): string | undefined {
  const host = address.slice(address.lastIndexOf('@') + 1).replace(/:\d+$/, '');
  return /[a-z]/.test(host) && !host.startsWith('[') ? host : undefined;
}

function conferenceOf(uri: string): string | undefined {
  return (CONFERENCE.exec(uri) ?? OWN_CONFERENCE.exec(uri))?.[1]?.toLowerCase();
}

function phoneOf(uri: string): string | undefined {
  const user = /^(?:sips?|tel):([^@;?]+)/i.exec(uri)?.[1];
  return user !== undefined && PHONE.test(user) ? normaliseKey('phone', uri) : undefined;
}

function unique(values: readonly (string | undefined)[]): string[] {
  const found = values.filter((value) => value !== undefined && value !== '');
  return [...new Set(found as string[])].slice(0, MOST);
}
