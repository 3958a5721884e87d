import type { PortRange, Transport } from '#platform/topology';
import type { Side, SideAddress, SummaryFlow, SummaryRow } from '../model.ts';
import { portProse } from '../ports.ts';
import { fill, type Language, type Texts, textsOf } from '../texts/texts.ts';

/** `SIP (MTLS)`; a protocol that says itself how it is protected is not told twice. */
export function protocolCell(
  { protocol, security }: Pick<SummaryRow, 'protocol' | 'security'>,
  texts: Texts,
): string {
  if (protocol === security) return protocol;
  const words: Readonly<Record<string, string>> = texts.securities;
  return `${protocol} (${words[security] ?? security})`;
}

/** `TCP 5061`, `UDP 50000-59999 to 1024-65535` */
export function portCell(transport: Transport, flow: SummaryFlow, language: Language): string {
  const { source, destination } = flow;
  const to = portsProse(destination.ports, language);
  if (source.ports === 'any') return `${transport.toUpperCase()} ${to}`;
  const from = portsProse(source.ports, language);
  return `${transport.toUpperCase()} ${fill(textsOf(language).cells.fromTo, { from, to })}`;
}

function portsProse(ports: readonly PortRange[] | 'any', language: Language): string {
  return ports === 'any' ? textsOf(language).cells.everybody : portProse(ports, language);
}

/** The term of a side, then its addresses. */
export function sideCell(side: Side, texts: Texts): string[] {
  const { nobody, everybody, virtual, nodes } = texts.cells;
  if (side.addresses === 'any') return side.term === everybody ? [side.term] : [side.term, everybody];
  if (side.addresses.length === 0) return [side.term, nobody];
  const list = (addresses: readonly SideAddress[]): string =>
    addresses.map((one) => addressText(one, texts)).join(', ');
  const balanced = side.addresses.filter((one) => one.virtual);
  const own = side.addresses.filter((one) => !one.virtual);
  if (balanced.length === 0) return [side.term, list(own)];
  const parts = [side.term, fill(virtual, { addresses: list(balanced) })];
  return own.length === 0 ? parts : [...parts, fill(nodes, { addresses: list(own) })];
}

/** `172.16.1.10 (outside 203.0.113.10)`, `10.45.32.0/24`, `10.45.32.11` */
export function addressText({ address, publicAddress }: SideAddress, texts: Texts): string {
  const shown = address.replace(/\/(?:32|128)$/, (length) => (length === hostLength(address) ? '' : length));
  return publicAddress === null
    ? shown
    : fill(texts.cells.translated, { address: shown, public: publicAddress });
}

/** The prefix length with which a network is one host: /32 of IPv6 is a network. */
function hostLength(network: string): string {
  return network.includes(':') ? '/128' : '/32';
}

/** ` [1] [4]` */
export function noteMarks(numbers: readonly number[]): string {
  return numbers.map((number) => ` [${number}]`).join('');
}

/** What stands under a row or in its last column. */
export function whyCell({ purpose, why, notes }: SummaryRow): string {
  return `${purpose} ${why}${noteMarks(notes)}`;
}
