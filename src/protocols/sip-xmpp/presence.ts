import type { Show } from '#protocols/presence';
import { child, element, textOf, type XmlElement } from '#protocols/xml';
import { NS } from '#protocols/xmpp';
import { languageTag } from './chat-message.ts';

/** RFC 6121 §4.7.2.1. */
const shows: readonly Show[] = ['away', 'chat', 'dnd', 'xa'];

/** What one device says about its user. */
export interface DevicePresence {
  /** Undefined when the address of the user itself says so. */
  readonly resource?: string | undefined;
  readonly available: boolean;
  readonly show?: Show | undefined;
  readonly status?: { readonly text: string; readonly language?: string | undefined } | undefined;
  /** 0..127; a negative one has no counterpart and is left out (RFC 8048 §6). */
  readonly priority?: number | undefined;
}

const LONGEST_STATUS = 1024;

/** A presence stanza without type or with `unavailable`; whatever else is no notification. */
export function readPresence(stanza: XmlElement, resource: string | undefined): DevicePresence | undefined {
  const type = stanza.attributes.get('type');
  if (type !== undefined && type !== 'unavailable') return undefined;
  const show = child(stanza, 'show', NS.server);
  const status = child(stanza, 'status', NS.server);
  const priority = child(stanza, 'priority', NS.server);
  const number = priority === undefined ? Number.NaN : Number(textOf(priority).trim());
  const language = status?.attributes.get('xml:lang') ?? stanza.attributes.get('xml:lang');
  return {
    resource,
    available: type === undefined,
    show: show === undefined ? undefined : shows.find((known) => known === textOf(show).trim()),
    status:
      status === undefined
        ? undefined
        : { text: textOf(status).slice(0, LONGEST_STATUS), language: languageTag(language) },
    priority: Number.isInteger(number) && number >= 0 && number <= 127 ? number : undefined,
  };
}

export function writePresence(from: string, to: string, device: DevicePresence): XmlElement {
  const { available, show, status, priority } = device;
  const parts: XmlElement[] = [];
  if (show !== undefined && available) parts.push(element(NS.server, 'show', {}, [show]));
  if (status !== undefined) {
    parts.push(element(NS.server, 'status', { 'xml:lang': status.language }, [status.text]));
  }
  if (priority !== undefined && available) {
    parts.push(element(NS.server, 'priority', {}, [String(priority)]));
  }
  return element(NS.server, 'presence', { from, to, type: available ? undefined : 'unavailable' }, parts);
}

/** RFC 8048 §6: 0..127 as a number from 0 to 1 of at most three decimals, cut off rather than rounded. */
export function qualityOf(priority: number): number {
  return Math.floor((priority * 1000) / 127) / 1000;
}
export function priorityOf(quality: number): number | undefined {
  if (!(quality >= 0 && quality <= 1)) return undefined;
  return Math.round(quality * 127);
}
