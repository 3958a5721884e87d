import type { ProxyHandler, SipFlow } from '#platform/sip-endpoint';
import { type MessageEdit, parseChallenge, parseCredentials, type SipRequest } from '#protocols/sip';
import {
  ASSERTED_SOURCE,
  type AssertedSource,
  formatAssertedSource,
  parseAssertedSource,
} from '#protocols/trust-marking';
import { keepsChallenges } from './forwarding.ts';
import { partyOf } from './parties.ts';
import { parseAddress } from './partners.ts';

/** Who calls a conference, as its peer is told. */
export interface ConferenceCaller {
  /** Value of `Sallyport-Asserted-Source`; undefined for somebody inside. */
  readonly mark: string | undefined;
  readonly guest: boolean;
}

/** What guests may begin. Within a dialog the peer knows what it takes. */
export const GUEST_METHODS: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE']);

/** Somebody without an account, as an edge of ours has marked the very From. */
export function isGuest(request: SipRequest, flow: SipFlow): boolean {
  return marked(request, flow)?.source === 'guest';
}

/** The caller of a request whose sender is known; what an edge has not marked has proven itself here. */
export function callerOf(request: SipRequest, flow: SipFlow): ConferenceCaller {
  const party = partyOf(flow);
  const address = parseAddress(request.from.uri)?.address.toLowerCase();
  // A BYE is believed whoever sent it, so nothing is said about its sender.
  if (party.kind !== 'edge' || address === undefined) return { mark: undefined, guest: false };
  const mark = marked(request, flow);
  if (mark === undefined && request.method === 'BYE') return { mark: undefined, guest: false };
  const told: AssertedSource = { ...(mark ?? { address, source: 'remote-user' }), edge: party.edge };
  return { mark: formatAssertedSource(told), guest: told.source === 'guest' };
}

function marked(request: SipRequest, flow: SipFlow): AssertedSource | undefined {
  if (partyOf(flow).kind !== 'edge') return undefined;
  const mark = parseAssertedSource(request.header(ASSERTED_SOURCE) ?? '');
  return mark !== undefined && parseAddress(request.from.uri)?.address.toLowerCase() === mark.address
    ? mark
    : undefined;
}

/**
 * What a conference peer is told besides: who calls, written afresh, and a guest's credentials for the domain of the
 * conference. Those for any other realm, and everybody else's, are nobody's business but this front end's.
 */
export function introduce(
  edit: MessageEdit,
  request: SipRequest,
  caller: ConferenceCaller,
  isConference: (domain: string) => boolean,
): void {
  if (caller.mark !== undefined) edit.append(ASSERTED_SOURCE, caller.mark);
  const domain = parseAddress(request.uri)?.domain;
  if (!caller.guest || domain === undefined || !isConference(domain)) return;
  for (const text of request.values('authorization')) {
    const credentials = parseCredentials(text);
    if (credentials.ok && credentials.value.realm === domain) edit.append('Authorization', text);
  }
}

/** A conference is all that there is at its address, so when it asks to be spared the caller has to know. */
export const passesBusy: ProxyHandler = { ...keepsChallenges, passes503: true };

/** A guest is asked for the key of a conference by its domain, and for nothing else by nobody else. */
export function passesChallengesOf(isConference: (domain: string) => boolean): ProxyHandler {
  return {
    passes503: true,
    editResponse: (edit, response) => {
      const ours = response.values('WWW-Authenticate').filter((text) => {
        const challenge = parseChallenge(text);
        return response.status === 401 && challenge.ok && isConference(challenge.value.realm);
      });
      edit.remove('WWW-Authenticate').remove('Proxy-Authenticate');
      for (const text of ours) edit.append('WWW-Authenticate', text);
    },
  };
}
