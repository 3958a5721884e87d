import { RecentMap } from '#kernel';
import {
  breadthOfBranch,
  maxBreadth,
  parseSipUri,
  type SipMessage,
  type SipRequest,
  withoutOurMaddr,
} from '#protocols/sip';
import { type Refusal, refuse } from './refusal.ts';

/** RFC 3261 §16.3 step 3: what a request without Max-Forwards gets. */
export const DEFAULT_MAX_FORWARDS = 70;

const DIALOG_FORMING: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);

/**
 * True when we must stay in the path of what this request begins (RFC 3261 §16.6 step 4). A NOTIFY begins a dialog although its To has
 * a tag, when it comes before the answer or from another device than that, and nobody between can tell (RFC 6665 §4.3).
 */
export function formsDialog({ method, to }: SipRequest): boolean {
  return method === 'NOTIFY' || (to.tag === undefined && DIALOG_FORMING.has(method));
}

/**
 * The one spelling of an address of record that comparisons use: `user@host`, the host in lower case; `sip` and
 * `sips` are the same person. Undefined for anything that is no SIP address, such as one with a password.
 */
export function canonicalAddress(uri: string): string | undefined {
  return addressOf(parseSipUri(uri));
}
/** The same of who sends a message: its From. Whoever sends many is worked out once. */
export function senderOf(message: SipMessage): string | undefined {
  const { uri } = message.from;
  const known = senders.get(uri);
  if (known !== undefined) return known;
  const address = addressOf(message.fromUri());
  if (address !== undefined && uri.length <= LONGEST_REMEMBERED) senders.set(uri, address);
  return address;
}
/** Entries of one generation, and the longest URI that is worth one. */
const REMEMBERED = 2048;
const LONGEST_REMEMBERED = 128;
const senders = new RecentMap<string, string>(REMEMBERED);

function addressOf(parsed: ReturnType<typeof parseSipUri>): string | undefined {
  if (!parsed.ok || parsed.value.user === undefined || parsed.value.password !== undefined) return undefined;
  return `${parsed.value.user}@${parsed.value.host}`;
}

/** OPTIONS for this service itself: addressed to a host of ours and to nobody there. */
export function isForUs(request: SipRequest, hosts: ReadonlySet<string>): boolean {
  if (request.method !== 'OPTIONS') return false;
  const uri = request.parsedUri();
  return uri.ok && uri.value.user === undefined && hosts.has(uri.value.host);
}

/** A target without a maddr that names one of our `hosts` (RFC 3261 §16.4): with it, the inside would send the request back to us. */
export function targetPast(target: string, hosts: ReadonlySet<string>): string {
  return target.includes(';') ? withoutOurMaddr(target, ({ host }) => hosts.has(host)) : target;
}
/** True for a target whose domain is not where it leads (RFC 3261 §19.1.1). */
export function leadsElsewhere(target: string): boolean {
  if (!target.includes(';')) return false;
  const uri = parseSipUri(target);
  return uri.ok && uri.value.parameters.has('maddr');
}

/** `ms-benotify` is asked of proxies by clients of the original: that they pass BENOTIFY, which nobody answers. */
const SUPPORTED: ReadonlySet<string> = new Set(['ms-benotify']);

/**
 * RFC 3261 §16.3 steps 2, 3 and 5, in this order; what may be asked of any proxy. This one sends a request on one branch, never on several
 * at a time, so what is left of its breadth goes on as it is (RFC 5393 §5.3.3).
 */
export function checkProxiable(request: SipRequest): Refusal | undefined {
  const uri = request.parsedUri();
  if (!uri.ok && uri.error !== 'unsupported-scheme') return refuse(400, 'bad-uri');
  if (!uri.ok && !request.uri.toLowerCase().startsWith('tel:')) return refuse(416, 'bad-uri');
  // RFC 3261 §19.1.1: headers are not allowed in a Request-URI.
  if (uri.ok && uri.value.headers !== undefined) return refuse(400, 'bad-uri');
  if (request.maxForwards === 0) return refuse(483, 'max-forwards');
  if (breadthOfBranch(maxBreadth(request), 1) === undefined) return refuse(440, 'max-breadth');
  if (!request.has('Proxy-Require')) return undefined;
  const unsupported = request.values('Proxy-Require').filter((tag) => !SUPPORTED.has(tag.toLowerCase()));
  if (unsupported.length === 0) return undefined;
  return refuse(420, 'proxy-require', [['Unsupported', unsupported.join(', ')]]);
}
