import { RecentMap } from '#kernel';
import { EVENT_BOUNDS, type EventKeys, normaliseKey } from '#protocols/log-query';
import { type NameAddress, parseNameAddress, type SipMessage } from '#protocols/sip';
import { traceOf } from './trace-id.ts';

const CONFERENCE = /;opaque=app:conf:[^:;?]+:id:([^;?]+)/i;
/** A conference of our own. People whose names look the same get a key more, and lose nothing. */
const OWN_CONFERENCE = /^sips?:([a-z2-7]{16})@/i;
const PHONE = /^\+?[0-9().-]{5,}$/;

/** By what somebody is found who is named by a URI. */
interface Party {
  readonly address: string;
  readonly domain: string | undefined;
  readonly phone: string | undefined;
  readonly conference: string | undefined;
}
/** The same people speak again and again, and to find out all this takes longer than to read the rest of a message. */
const parties = new RecentMap<string, Party>(2048);
/** A call has several messages, and each is seen as it comes and as it goes. */
const traces = new RecentMap<string, string>(128);

/** By what a SIP message is found: its call, who speaks with whom, numbers, domains and the conference. */
export function sipKeys(message: SipMessage): EventKeys {
  const { callId } = message;
  const addresses: string[] = [];
  const domains: string[] = [];
  const phones: string[] = [];
  const conferences: string[] = [];
  const add = (uri: string): void => {
    const party = partyOf(uri);
    addOnce(addresses, party.address);
    addOnce(domains, party.domain);
    addOnce(phones, party.phone);
    addOnce(conferences, party.conference);
  };
  // At most four, as many as an event has values of one key.
  add(message.from.uri);
  add(message.to.uri);
  if (message.kind === 'request' && message.uri !== message.to.uri) add(message.uri);
  const asserted = assertedBy(message);
  if (asserted !== undefined) add(asserted);
  return {
    callId: [callId],
    uri: addresses,
    trace: [traceOfCall(callId)],
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

function partyOf(uri: string): Party {
  const known = parties.get(uri);
  if (known !== undefined) return known;
  if (uri.length > EVENT_BOUNDS.keyValue) return readParty(uri);
  // A text of its own: a piece of a head would keep all of the head.
  const own = Buffer.from(uri).toString();
  const party = readParty(own);
  parties.set(own, party);
  return party;
}
function readParty(uri: string): Party {
  const address = normaliseKey('uri', uri);
  return { address, domain: domainOf(address), phone: phoneOf(uri), conference: conferenceOf(uri) };
}

function traceOfCall(callId: string): string {
  const known = traces.get(callId);
  if (known !== undefined) return known;
  const trace = traceOf(callId);
  traces.set(callId, trace);
  return trace;
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

function addOnce(values: string[], value: string | undefined): void {
  if (value !== undefined && value !== '' && !values.includes(value)) values.push(value);
}
