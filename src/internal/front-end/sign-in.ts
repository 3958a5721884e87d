import { ALLOW_EVENTS } from '#internal/presence';
import type { Clock, Monotonic } from '#kernel';
import type { RespondOptions, SipFlow } from '#platform/sip-endpoint';
import type { SipRequest } from '#protocols/sip';
import { parseAor } from './account.ts';
import type { Binding, BindingReach } from './binding.ts';
import type { ExternalAccess } from './external-access.ts';
import type { OwnUri } from './forwarding.ts';
import { ADDRESSES_PER_CONNECTION, partyOf } from './parties.ts';
import { mrasUri, provisioningDocument, provisioningEvent, provisioningType } from './provisioning.ts';
import type { Registrar, RegistrarAnswer } from './registrar.ts';
import type { Surroundings } from './routing.ts';

/** A response that is still to be sent. */
export interface Answer {
  readonly status: number;
  readonly options: RespondOptions;
}

export interface SignInSettings {
  readonly own: OwnUri;
  readonly around: Surroundings;
  /** The edge whose A/V Authentication service users are sent to. */
  readonly mrasEdge: string | undefined;
  /** What users may do with the outside. */
  readonly access: ExternalAccess;
}

/** What every client may know about this front end. */
export const SIGN_IN_HEADERS: readonly (readonly [string, string])[] = [
  ['Allow-Events', `${provisioningEvent}, ${ALLOW_EVENTS[1]}`],
  ['Supported', 'path, outbound'],
];

/** What becomes of REGISTER and of the request for provisioning, once the sender is proven. */
export class SignIn {
  readonly #clock: Clock;
  readonly #registrar: Registrar;
  #settings: SignInSettings;

  constructor(clock: Clock, registrar: Registrar, settings: SignInSettings) {
    this.#clock = clock;
    this.#registrar = registrar;
    this.#settings = settings;
  }
  configure(settings: SignInSettings): void {
    this.#settings = settings;
  }

  /** RFC 3261 §10.3; `aor` is who sent it. */
  register(request: SipRequest, flow: SipFlow, aor: string): Answer {
    if (parseAor(request.to.uri)?.aor !== aor) return refused(403, 'Third-Party Registration Refused');
    const path = request.values('path');
    const reach: BindingReach =
      partyOf(flow).kind === 'client' ? { kind: 'flow', flow: flow.id } : { kind: 'path', path };
    if (reach.kind === 'path' && this.edgeOfPath(path) === undefined) {
      return refused(403, 'Path Is Not Of A Known Edge');
    }
    const answer = this.#registrar.register({ aor, request, reach }, this.#clock.wall());
    if (answer.status === 423) {
      return { status: 423, options: { headers: [['Min-Expires', `${answer.minExpires}`]] } };
    }
    if (answer.status !== 200) return refused(answer.status, answer.reason);
    this.#noteSignIn(flow, aor, answer.bindings);
    return { status: 200, options: { headers: this.#headers(request, flow, answer) } };
  }

  /** The body that tells a client where relay credentials are asked for. */
  provision(aor: string): Answer {
    const { mrasEdge, own } = this.#settings;
    const domain = aor.slice(aor.indexOf('@') + 1);
    return {
      status: 200,
      options: {
        headers: [
          ['Event', provisioningEvent],
          ['Expires', '0'],
          ['ms-piggyback-cseq', '1'],
          ['Contact', `<sip:${own.host}:${own.port};transport=tls>`],
          ['Content-Type', provisioningType],
        ],
        body: provisioningDocument(mrasEdge === undefined ? undefined : mrasUri(mrasEdge, domain)),
      },
    };
  }

  /** What was reached over this connection is not reached any more. */
  handleFlowClosed(flow: SipFlow): void {
    const party = partyOf(flow);
    if (party.kind !== 'client') return;
    const wall = this.#clock.wall();
    for (const aor of party.signedIn.keys()) {
      for (const binding of this.#registrar.lookup(aor, wall)) {
        if (binding.reach.kind === 'flow' && binding.reach.flow === flow.id) this.#registrar.forget(binding);
      }
    }
  }

  /** The edge that the topmost Path entry names. */
  edgeOfPath(path: readonly string[]): string | undefined {
    const host = /@([^;:>[]+|\[[^\]]+\])/.exec(path[0] ?? '')?.[1];
    return host === undefined ? undefined : this.#settings.around.edges.get(host.toLowerCase());
  }

  /** A client's own connection is believed for an address for as long as that address is registered over it. */
  #noteSignIn(flow: SipFlow, aor: string, bindings: readonly Binding[]): void {
    const party = partyOf(flow);
    if (party.kind !== 'client') return;
    const own = bindings.filter(({ reach }) => reach.kind === 'flow' && reach.flow === flow.id);
    const longest = Math.max(0, ...own.map(({ expires }) => expires));
    if (longest === 0) party.signedIn.delete(aor);
    else if (party.signedIn.has(aor) || party.signedIn.size < ADDRESSES_PER_CONNECTION) {
      const left = longest - this.#clock.wall();
      party.signedIn.set(aor, (this.#clock.now() + left) as Monotonic);
    }
    if (party.signedIn.size > 0) flow.authorised = true;
  }

  #headers(
    request: SipRequest,
    flow: SipFlow,
    answer: Extract<RegistrarAnswer, { status: 200 }>,
  ): (readonly [string, string])[] {
    const wall = this.#clock.wall();
    const headers: (readonly [string, string])[] = answer.bindings.map(({ contact, expires }) => [
      'Contact',
      `<${contact}>;expires=${Math.max(1, Math.round((expires - wall) / 1000))}`,
    ]);
    for (const path of request.values('path')) headers.push(['Path', path]);
    if (answer.outbound) headers.push(['Require', 'outbound']);
    // The original's way of telling a client that it is outside; it asks for relays of the Internet then.
    if (partyOf(flow).kind === 'edge') headers.push(['ms-user-logon-data', 'RemoteUser']);
    headers.push(['Date', new Date(wall).toUTCString()]);
    return [...headers, ...SIGN_IN_HEADERS];
  }
}

function refused(status: number, reason: string): Answer {
  return { status, options: { reason } };
}
