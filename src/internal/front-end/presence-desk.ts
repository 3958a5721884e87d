import type { Notification, Outcome, PresenceAgent, Reach, Reply, Subscriber } from '#internal/presence';
import type { Cancel, Clock, Random } from '#kernel';
import type { SipEndpoint, SipFlow } from '#platform/sip-endpoint';
import type { Counter } from '#platform/telemetry';
import {
  newBranch,
  parseNameAddress,
  parseSipUri,
  type ServerTransaction,
  type SipRequest,
  type SipResponse,
  sameSipUri,
} from '#protocols/sip';
import { formatSenderRights, SENDER_RIGHTS } from '#protocols/trust-marking';
import { parseAor } from './account.ts';
import type { EdgeLinks } from './edge-links.ts';
import { type FlowTokens, partyOf } from './parties.ts';
import { cameByEdge, mayLeaveByEdge, rightsToTell } from './partners.ts';
import type { Registrar } from './registrar.ts';
import type { SignInSettings } from './sign-in.ts';

/** The statuses with which requests about presence are refused. */
export const presenceRefusals = [
  '400',
  '403',
  '404',
  '406',
  '412',
  '413',
  '415',
  '423',
  '481',
  '489',
  '500',
  '503',
] as const;
export type PresenceRefusal = (typeof presenceRefusals)[number];
export const notifyOutcomes = ['accepted', 'unreachable', 'later', 'failed'] as const;

export interface PresenceDeskOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly agent: PresenceAgent;
  readonly registrar: Registrar;
  readonly tokens: FlowTokens;
  readonly notified: Counter<(typeof notifyOutcomes)[number]>;
  readonly refused: Counter<PresenceRefusal>;
}

/** Refusals that ask for patience are waited for no longer than this, and no shorter: `0` would be a loop. */
const LONGEST_RETRY_SECONDS = 3600;
const SHORTEST_RETRY_SECONDS = 5;

/** Between the presence agent and the wire: requests in, answers and notifications out, and the agent's clock. */
export class PresenceDesk {
  readonly #options: PresenceDeskOptions;
  readonly #endpoint: SipEndpoint;
  readonly #links: EdgeLinks;
  #settings: SignInSettings;
  #alarm: { readonly at: number; readonly cancel: Cancel } | undefined;
  #stopped = false;

  constructor(
    options: PresenceDeskOptions,
    endpoint: SipEndpoint,
    links: EdgeLinks,
    settings: SignInSettings,
  ) {
    this.#options = options;
    this.#endpoint = endpoint;
    this.#links = links;
    this.#settings = settings;
    options.agent.onDue = () => this.#arm();
  }
  configure(settings: SignInSettings): void {
    this.#settings = settings;
    this.flush();
  }
  /** Nothing leaves any more, and nothing wakes up: the database is about to be closed. */
  stop(): void {
    this.#stopped = true;
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }

  /** A SUBSCRIBE or PUBLISH about presence, of a sender that is proven. */
  serve(
    request: SipRequest,
    flow: SipFlow,
    transaction: ServerTransaction,
    sender: { readonly address: string; readonly outsider: boolean },
  ): void {
    const { agent, clock } = this.#options;
    const presentity = parseAor(request.uri.replace(/;.*$/, ''))?.aor;
    const subscriber: Subscriber = { ...sender, reach: this.#reachOf(request, flow, sender.outsider) };
    const reply =
      request.method === 'PUBLISH'
        ? agent.handlePublish(request, sender.address, presentity, clock.wall())
        : agent.handleSubscribe(request, subscriber, presentity, clock.wall());
    this.#respond(transaction, reply);
    this.flush();
  }

  /** Whether a user has allowed somebody by name. */
  isListed(aor: string, person: string): boolean {
    return this.#options.agent.isListed(aor, person);
  }

  /** A user has signed in or out somewhere; whoever is told hears it after the device has its answer. */
  handleDevices(aor: string): void {
    this.#options.agent.handleDevices(aor, this.#options.clock.wall());
    this.#arm();
  }

  /** An edge or a peer has opened a connection. */
  handleReachable(kind: 'edge' | 'peer', name: string): void {
    this.#options.agent.handleReachable(kind, name);
    this.flush();
  }

  /** Sends what is due, and wakes up when the next is. */
  flush(): void {
    const { agent, clock } = this.#options;
    if (this.#stopped) return;
    for (const notification of agent.take(clock.wall())) this.#notify(notification);
    this.#arm();
  }
  #arm(): void {
    if (this.#stopped) return;
    const { agent, clock } = this.#options;
    const next = agent.next();
    if (next === this.#alarm?.at) return;
    this.#alarm?.cancel();
    this.#alarm =
      next === undefined
        ? undefined
        : { at: next, cancel: clock.after(Math.max(0, next - clock.wall()), () => this.#wake()) };
  }
  #wake(): void {
    this.#alarm = undefined;
    this.flush();
  }

  get #contact(): string {
    const { host, port } = this.#settings.own;
    return `<sip:presence@${host}:${port};transport=tls>`;
  }

  #respond(transaction: ServerTransaction, { status, reason, headers = [], toTag }: Reply): void {
    const refused = presenceRefusals.find((known) => known === `${status}`);
    if (refused !== undefined) this.#options.refused.inc(refused);
    const contact: readonly [string, string][] =
      status === 200 && transaction.request.method === 'SUBSCRIBE' ? [['Contact', this.#contact]] : [];
    this.#endpoint.respond(transaction, status, {
      headers: [...headers, ...contact],
      ...(reason === undefined ? {} : { reason }),
      ...(toTag === undefined ? {} : { toTag }),
    });
  }

  #reachOf(request: SipRequest, flow: SipFlow, outsider: boolean): Reach {
    const party = partyOf(flow);
    if (party.kind === 'edge') {
      return { kind: 'edge', edge: party.edge, ...(outsider ? { by: cameByEdge(request) } : {}) };
    }
    if (party.kind === 'peer') return { kind: 'peer', peer: party.peer };
    return { kind: 'flow', token: this.#options.tokens.tokenFor(flow, party) };
  }

  #notify(notification: Notification): void {
    const { reach } = notification;
    if (reach.kind === 'edge') {
      const edge = this.#edgeOf(notification.routes) ?? reach.edge;
      this.#links.reach(edge, 'access', (flow) => this.#send(notification, flow));
    } else if (reach.kind === 'peer') this.#send(notification, this.#peerFlow(reach.peer));
    else this.#send(notification, this.#clientFlow(reach.token, notification));
  }

  /** The edge that recorded itself in the dialog: one of a pool need not be the one that brought the last request. */
  #edgeOf([first]: readonly string[]): string | undefined {
    const address = first === undefined ? undefined : parseNameAddress(first);
    const uri = address?.ok === true ? parseSipUri(address.value.uri) : undefined;
    return uri?.ok === true ? this.#settings.around.edges.get(uri.value.host) : undefined;
  }

  #peerFlow(peer: string): SipFlow | undefined {
    for (const flow of this.#endpoint.flows()) {
      const party = partyOf(flow);
      if (party.kind === 'peer' && party.peer === peer) return flow;
    }
    return undefined;
  }

  /** The connection that the watcher subscribed on, or the one on which the same device has signed in since. */
  #clientFlow(token: string, { watcher, target }: Notification): SipFlow | undefined {
    const { tokens, registrar, clock } = this.#options;
    const flow = tokens.resolve(token, this.#endpoint);
    if (typeof flow === 'object') return flow;
    const contact = parseSipUri(target);
    for (const binding of registrar.lookup(watcher, clock.wall())) {
      const known = parseSipUri(binding.contact);
      if (binding.reach.kind !== 'flow' || !contact.ok || !known.ok) continue;
      if (sameSipUri(contact.value, known.value)) return this.#endpoint.flow(binding.reach.flow);
    }
    return undefined;
  }

  #send(notification: Notification, flow: SipFlow | undefined): void {
    if (flow === undefined) return this.#conclude(notification, { kind: 'unreachable' });
    const { host, port } = this.#settings.own;
    const branch = newBranch(this.#options.random);
    const { method, bytes } = notification.write({
      via: `SIP/2.0/TLS ${host}:${port};branch=${branch}`,
      headers: [['Contact', this.#contact], ...this.#rightsOf(notification)],
    });
    const sent = this.#endpoint.request(
      flow,
      { method, branch, bytes },
      {
        onResponse: (response) => {
          if (response.status >= 200) this.#conclude(notification, outcomeOf(response));
        },
        // A connection that ended says nothing about the watcher; one that does not answer does (RFC 6665 §4.2.2).
        onFailure: (cause) =>
          this.#conclude(notification, { kind: cause === 'transport' ? 'unreachable' : 'failed' }),
      },
    );
    if (sent.ok) return;
    // What is too long will not become shorter; a full table empties itself.
    this.#conclude(
      notification,
      sent.error === 'too-large' ? { kind: 'failed' } : { kind: 'later', seconds: 1 },
    );
  }

  /**
   * A domain may have become a provider's since its watcher asked, so the edge is told; that a subscription has ended, for
   * the user has lost the right, is told to everybody.
   */
  #rightsOf({ presentity, reach, outsider }: Notification): (readonly [string, string])[] {
    const rights = this.#settings.access.rightsOf(presentity);
    if (!outsider || reach.kind !== 'edge' || !mayLeaveByEdge(rights, reach.by)) return [];
    return [[SENDER_RIGHTS, formatSenderRights(rightsToTell(rights, false))]];
  }

  #conclude({ id }: Notification, outcome: Outcome): void {
    if (this.#stopped) return;
    this.#options.notified.inc(outcome.kind);
    this.#options.agent.handleOutcome(id, outcome, this.#options.clock.wall());
    this.flush();
  }
}

function outcomeOf(response: SipResponse): Outcome {
  if (response.status < 300) return { kind: 'accepted' };
  // RFC 5626 §5.3.1: the flow to the watcher is gone, as an edge says; the watcher will subscribe anew over another.
  if (response.status === 430) return { kind: 'unreachable' };
  const wait = /^(\d{1,10})(?:[;\s(]|$)/.exec(response.header('Retry-After') ?? '')?.[1];
  if (wait === undefined || response.status === 481) return { kind: 'failed' };
  const seconds = Math.min(Math.max(Number(wait), SHORTEST_RETRY_SECONDS), LONGEST_RETRY_SECONDS);
  return { kind: 'later', seconds };
}
