import { type EventStream, LEVEL, peerLabel, type Tap } from '#platform/telemetry';
import { writeXml, type XmlElement } from '#protocols/xml';
import type { DomainPair, StreamReason } from '#protocols/xmpp';
import type { ShownIdentity } from './upgradable-socket.ts';

/** Streams have ports of their own at both ends that say nothing to anybody. */
const NO_PORT = 0;
/** Names of a certificate that one event tells. */
const NAMES = 4;

/** What an endpoint tells of stanzas and streams. */
export class StanzaEvents {
  readonly #events: EventStream | undefined;
  readonly #tap: Tap | undefined;
  readonly #tls: Tap | undefined;

  constructor(events: EventStream | undefined) {
    this.#events = events;
    this.#tap = events?.tap('Xmpp');
    this.#tls = events?.tap('Tls');
  }

  /** @param address of the partner's server, where it is known */
  stanza(direction: 'in' | 'out', stanza: XmlElement, { from, to }: DomainPair, address = ''): void {
    const tap = this.#tap;
    if (tap === undefined || tap.level < LEVEL.info) return;
    const [own, partner] = direction === 'in' ? [to, from] : [from, to];
    tap.message({
      protocol: 'xmpp',
      level: 'info',
      direction,
      peer: peerLabel(`${own}-${partner}`, {
        local: { address: own, port: NO_PORT },
        remote: { address: address === '' ? partner : address, port: NO_PORT },
      }),
      bytes: Buffer.from(writeXml(stanza, stanza.namespace)),
    });
  }

  /** A handshake of a stream, as those of other connections are told (room net). */
  secured(direction: 'in' | 'out', address: string, shown: ShownIdentity | undefined): void {
    if (this.#tls === undefined || this.#tls.level < LEVEL.info) return;
    const names = shown?.peer?.names.dns.slice(0, NAMES) ?? [];
    this.#events?.emit({
      provider: 'Tls',
      component: 'xmpp-endpoint',
      level: 'info',
      kind: 'decision',
      name: shown === undefined ? 'tls-failed' : 'tls-established',
      flags: ['connection', 'security'],
      direction,
      remote: address,
      fields: {
        ...(shown === undefined ? { rule: 'handshake' } : { protocol: shown.protocol }),
        ...(shown?.problem === undefined ? {} : { problem: shown.problem.slice(0, 400) }),
        ...(names.length === 0 ? {} : { names: names.join(' ') }),
      },
      keys: { address: [address], ...(names.length === 0 ? {} : { domain: names }) },
    });
  }

  ended(
    direction: 'in' | 'out',
    peer: string | undefined,
    address: string,
    reason: StreamReason,
    detail: string,
  ): void {
    if (this.#tap === undefined || this.#tap.level < LEVEL.info) return;
    this.#events?.emit({
      provider: 'Xmpp',
      component: 'xmpp-endpoint',
      level: 'info',
      kind: 'decision',
      name: 'stream-ended',
      flags: ['connection'],
      direction,
      remote: address,
      fields: { rule: reason, peer: peer ?? '', ...(detail === '' ? {} : { detail: detail.slice(0, 400) }) },
      keys: { address: [address], ...(peer === undefined ? {} : { domain: [peer] }) },
    });
  }
}
