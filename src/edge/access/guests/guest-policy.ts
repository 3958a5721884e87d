import { parseSipUri, type SipRequest } from '#protocols/sip';
import { leadsElsewhere } from '../policy/common.ts';
import { type Refusal, refuse } from '../policy/refusal.ts';
import type { AccessSettings } from '../settings.ts';
import type { GuestSession } from './guest-session.ts';

/** Parameters of a URI that say how it is to be reached, or what is to be done there (RFC 3261 §19.1.1); for maddr see {@link leadsElsewhere}. */
const LEADING = ['ttl', 'method'];
/** Another one is another server. */
const USUAL_PORTS: ReadonlySet<number | undefined> = new Set([undefined, 5060, 5061]);
const IN_DIALOG: ReadonlySet<string> = new Set(['INVITE', 'ACK', 'BYE', 'INFO', 'SUBSCRIBE']);

/** True for a request that no user of ours can have sent: its sender is of another domain, or of none. */
export function isFromStranger(request: SipRequest, settings: AccessSettings): boolean {
  const sender = request.fromUri();
  // Who is no address of record may be anybody.
  if (!sender.ok || sender.value.user === undefined || sender.value.password !== undefined) return false;
  return !settings.sipDomains.has(sender.value.host);
}

/**
 * Whether that is a name for a guest: an address that is none of ours, in whatever spelling. The mark names it, and who is
 * marked with a name of ours would pass for that person wherever the name is all that is shown.
 */
export function isGuestName(request: SipRequest, settings: AccessSettings): boolean {
  const sender = request.fromUri();
  if (!sender.ok || sender.value.user === undefined || sender.value.password !== undefined) return false;
  // RFC 3261 §25.1 lets a name end in a full stop.
  const host = sender.value.host.replace(/\.+$/, '');
  const { sipDomains, externalHosts, internalHosts, guestConferences, disclosure } = settings;
  const own = [sipDomains, externalHosts, internalHosts, guestConferences].some((hosts) => hosts.has(host));
  return !own && !disclosure.mentionsInternal(host);
}

/**
 * What somebody without an account may send: INVITE and SUBSCRIBE to the events of one conference, what belongs to
 * their dialogs, and after the conference let the guest in, the request for relay credentials.
 * @param target the Request-URI that the request would leave with
 */
export function checkGuest(
  request: SipRequest,
  target: string,
  session: GuestSession,
  settings: AccessSettings,
): Refusal | undefined {
  if (request.to.tag !== undefined) return checkInDialog(request, target, session, settings);
  switch (request.method) {
    case 'INVITE':
      return checkConference(target, session, settings);
    case 'SUBSCRIBE':
      return isForConferenceEvents(request)
        ? checkConference(target, session, settings)
        : refuse(403, 'guest-request');
    case 'SERVICE':
      return session.inConference && !leadsElsewhere(target) && isRelayService(target, settings)
        ? undefined
        : refuse(403, 'guest-request');
    default:
      return refuse(403, 'guest-request');
  }
}

/** A To tag is easily made up: what says that it belongs to a dialog goes where that dialog leads, or nowhere. */
function checkInDialog(
  request: SipRequest,
  target: string,
  session: GuestSession,
  settings: AccessSettings,
): Refusal | undefined {
  const { method, callId } = request;
  if (!IN_DIALOG.has(method) || !session.takesPartIn(callId)) return refuse(403, 'guest-request');
  if (method === 'SUBSCRIBE' && !isForConferenceEvents(request)) return refuse(403, 'guest-request');
  return session.leadsTo(callId, target) ? undefined : checkConference(target, session, settings);
}

function isForConferenceEvents(request: SipRequest): boolean {
  return (request.header('Event') ?? '').split(';')[0]?.trim().toLowerCase() === 'conference';
}

function checkConference(
  target: string,
  session: GuestSession,
  settings: AccessSettings,
): Refusal | undefined {
  const conference = leadsElsewhere(target) ? undefined : conferenceOf(target, settings);
  if (conference === undefined) return refuse(403, 'guest-target');
  if (session.conference !== undefined && session.conference !== conference)
    return refuse(403, 'guest-other-conference');
  return undefined;
}

/**
 * The conference that a URI leads to, in a form that compares: an address of a conference domain of the document, or
 * the original's `sip:organiser@domain;gruu;opaque=app:conf:focus:id:…`.
 */
export function conferenceOf(target: string, settings: AccessSettings): string | undefined {
  const parsed = parseSipUri(target);
  if (!parsed.ok || parsed.value.user === undefined || parsed.value.password !== undefined) return undefined;
  const { user, host, port, parameters } = parsed.value;
  if (!USUAL_PORTS.has(port) || LEADING.some((name) => parameters.has(name))) return undefined;
  const opaque = parameters.get('opaque')?.toLowerCase();
  if (settings.sipDomains.has(host) && parameters.has('gruu') && opaque?.startsWith('app:conf:') === true)
    return `${user}@${host} ${conferenceId(opaque)}`;
  return settings.guestConferences.has(host) ? `${user}@${host}` : undefined;
}

/** Focus, chat and audio of one conference differ in the third part of `app:conf:focus:id:ABC`. */
function conferenceId(opaque: string): string {
  return opaque.slice(opaque.indexOf(':id:') + 1);
}

/** `sip:…@domain;gruu;opaque=srvr:MRAS:…`: where relay credentials are asked for ([MS-AVEDGEA]). */
function isRelayService(target: string, settings: AccessSettings): boolean {
  const parsed = parseSipUri(target);
  if (!parsed.ok) return false;
  const { host, parameters } = parsed.value;
  const opaque = parameters.get('opaque')?.toLowerCase();
  return settings.sipDomains.has(host) && opaque?.startsWith('srvr:mras') === true;
}
