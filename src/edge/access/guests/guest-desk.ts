import type { Clock, Monotonic } from '#kernel';
import {
  parseNameAddress,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  subscriptionStateOf,
} from '#protocols/sip';
import type { ClientConnection } from '../clients/client-connection.ts';
import { type Refusal, refuse } from '../policy/refusal.ts';
import type { AccessSettings } from '../settings.ts';
import { checkGuest, conferenceOf, isFromStranger, isGuestName } from './guest-policy.ts';
import { type GuestBudget, GuestSession, type GuestUsage } from './guest-session.ts';

const MINUTE_MS = 60_000;

/** What a request is, as far as guests go. */
export type GuestVerdict = 'no-guest' | 'guest' | Refusal;

/** Guests at the door: whether there may be any, how many, and what each may do. */
export class GuestDesk {
  readonly #guests = new Set<ClientConnection>();

  get size(): number {
    return this.#guests.size;
  }

  /** @param target the Request-URI that the request would leave with */
  admit(
    request: SipRequest,
    target: string,
    client: ClientConnection,
    { settings, clock }: { readonly settings: AccessSettings; readonly clock: Clock },
  ): GuestVerdict {
    const { guests } = settings.remoteAccess;
    if (client.guest === undefined && !isFromStranger(request, settings)) return 'no-guest';
    if (!guests.allowed) return refuse(403, 'guests-off');
    if (client.signIn.signedIn) return refuse(403, 'guest-request');
    if (!isGuestName(request, settings)) return refuse(403, 'guest-sender');
    const now = clock.now();
    const session = client.guest ?? this.#welcome(client, guests.connections, budgetOf(settings), now);
    if (session === undefined) return refuse(503, 'guests-full', [['Retry-After', '60']]);
    if (!session.spend(request.method, now)) return refuse(503, 'guest-budget', [['Retry-After', '60']]);
    const refusal = checkGuest(request, target, session, settings);
    if (refusal !== undefined) return refusal;
    if (request.to.tag !== undefined || request.method === 'SERVICE') return 'guest';
    session.conference ??= conferenceOf(target, settings);
    return session.begin(request.callId, usageOf(request)) ? 'guest' : refuse(403, 'guest-budget');
  }

  /** An answer to a guest's request: the conference let the guest in, or did not. */
  handleAnswer(request: SipRequest, client: ClientConnection, response: SipResponse): void {
    const { guest } = client;
    if (guest === undefined) return;
    const { status } = response;
    if (status < 300) this.#follow(guest, request.callId, response);
    if (status < 200) return;
    if (ends(request, status)) guest.end(request.callId, usageOf(request));
    else if (status < 300 && request.method === 'INVITE') {
      guest.enter(request.callId);
      client.flow.authorised = true;
    }
  }
  /** A request of the next hop for somebody who may be a guest: it may move the target of their dialog, or end it. */
  handleRequest(request: SipRequest, { guest }: ClientConnection): void {
    if (guest === undefined) return;
    this.#follow(guest, request.callId, request);
    const over =
      request.method === 'BYE' ||
      (request.method === 'NOTIFY' && subscriptionStateOf(request)?.state === 'terminated');
    if (over) guest.end(request.callId, usageOf(request));
  }
  #follow(guest: GuestSession, callId: string, message: SipMessage): void {
    const contact = parseNameAddress(message.values('Contact')[0] ?? '');
    if (contact.ok) guest.target(callId, contact.value.uri);
  }

  /** Stays that are over. */
  *overdue(settings: AccessSettings, now: Monotonic): Generator<ClientConnection> {
    const { stayMs } = budgetOf(settings);
    const off = !settings.remoteAccess.guests.allowed;
    for (const client of [...this.#guests]) {
      if (off || now - (client.guest?.since ?? now) >= stayMs) yield client;
    }
  }
  handleClosed(client: ClientConnection): void {
    this.#guests.delete(client);
  }

  #welcome(client: ClientConnection, most: number, budget: GuestBudget, now: Monotonic) {
    if (this.#guests.size >= most) return undefined;
    this.#guests.add(client);
    client.guest = new GuestSession(now, budget);
    return client.guest;
  }
}

/** What its dialog is for (RFC 5057): a call, or a subscription. */
function usageOf({ method }: SipRequest): GuestUsage {
  return method === 'SUBSCRIBE' || method === 'NOTIFY' ? 'subscription' : 'call';
}

/** Whether that answer is the end of what the request belongs to (RFC 3261 §12.2.1.2, §15.1.1); a BYE that was not heard is none. */
function ends({ method, to }: SipRequest, status: number): boolean {
  if (to.tag === undefined) return status >= 300 && method !== 'SERVICE';
  if (method === 'BYE') return status !== 401 && status !== 407 && status !== 503;
  return status === 481;
}

function budgetOf({ remoteAccess: { guests } }: AccessSettings): GuestBudget {
  return { perMinute: guests.requestsPerMinute, stayMs: guests.minutes * MINUTE_MS };
}
