import { isIPv6 } from 'node:net';
import type { Credentials, TrustAnchors } from '#platform/pki';
import type { ServiceContext } from '#platform/service';
import { NextHopAgent, type NextHopSettings } from '#platform/sip-agent';
import type { FlowTarget } from '#platform/sip-endpoint';
import type { InternalDocument } from '#platform/topology';
import { FOCUS_ALPN, type Place } from '#protocols/conference';
import type { Conferences } from '../conferences.ts';
import { Focus } from './focus.ts';
import type { FocusSettings } from './focus-context.ts';
import type { FocusMetrics } from './focus-metrics.ts';

interface FocusDocument {
  readonly document: InternalDocument;
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
}

/** IANA's ALPN id of SIP over TLS, for next hops that know no focus. */
const ALPN = [FOCUS_ALPN, 'sip/2'];

/** The focus with its connections to the next hops. */
export class FocusSide {
  readonly focus: Focus;
  readonly #agent: NextHopAgent;
  #settings: FocusSettings;

  constructor(
    context: ServiceContext,
    metrics: FocusMetrics,
    prepared: FocusDocument,
    conferences: Conferences,
    places: (outside: boolean) => readonly Place[],
  ) {
    const { clock, random, log } = context;
    this.#settings = focusSettings(prepared.document);
    this.#agent = new NextHopAgent(
      {
        ...{ clock, random, log, metrics: context.metrics, alpn: ALPN, own: ownUri(prepared.document) },
        name: 'web_conferencing',
        announces: true,
        user: {
          onRequest: (...heard) => this.focus.onRequest(...heard),
          onAck: (request) => this.focus.onAck(request),
          onCancel: () => this.focus.onCancel(),
          onFlowClosed: () => this.focus.onFlowClosed(),
        },
      },
      nextHopSettings(prepared),
    );
    const { sip } = this.#agent;
    const settings = () => this.#settings;
    this.focus = new Focus({ clock, random, log, metrics, sip, conferences, settings, places });
    context.metrics.observe(
      'sallyport_web_conferencing_focus_calls',
      'SIP dialogs of participants.',
      () => this.focus.calls,
    );
    context.metrics.observe(
      'sallyport_web_conferencing_focus_subscriptions',
      'Live subscriptions to who takes part.',
      () => this.focus.subscriptions,
    );
    this.#agent.start();
  }

  describe(): string {
    const hops = this.#agent.nextHops();
    const healthy = hops.filter(({ state }) => state === 'healthy').length;
    return `${this.focus.calls} calls, ${healthy} of ${hops.length} next hops`;
  }
  nextHops() {
    return this.#agent.nextHops();
  }
  adopt(prepared: FocusDocument): void {
    this.#settings = focusSettings(prepared.document);
    this.#agent.configure(nextHopSettings(prepared));
  }
  stop(): void {
    this.focus.stop();
    this.#agent.close();
  }
}

function nextHopSettings({ document, credentials, trust }: FocusDocument): NextHopSettings {
  const localAddresses = document.host.addresses.internal;
  return { nextHops: nextHopsOf(document), credentials, trust, localAddresses };
}

/** Without next hops of its own it works for the front end of the same document. */
function nextHopsOf({ host, frontEnd, webConferencing }: InternalDocument): readonly FlowTarget[] {
  if (webConferencing.nextHops.length > 0) return webConferencing.nextHops;
  return [{ name: host.name, address: host.addresses.internal[0] ?? '', port: frontEnd.port }];
}

function ownUri({ host, frontEnd }: InternalDocument) {
  const address = host.addresses.internal[0] ?? '';
  return { host: isIPv6(address) ? `[${address}]` : address, port: frontEnd.port };
}

function focusSettings({ frontEnd, webConferencing }: InternalDocument): FocusSettings {
  const { notifySeconds, limits } = webConferencing;
  return {
    domains: new Set(frontEnd.sipDomains),
    notifyMs: notifySeconds * 1000,
    calls: limits.calls,
    subscriptions: limits.subscriptions,
  };
}
