import type { PortRange, Transport } from '#platform/topology';

/** What was asked for: a row by its id, or whatever has a port. */
export type Query =
  | { readonly kind: 'row'; readonly id: string }
  | { readonly kind: 'port'; readonly range: PortRange; readonly transport: Transport | undefined };

const ROW = /^(ext|int|fed|pic|xmpp|more)-?(\d{1,2})$/;
const PORT = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp))?$/;
const LAST_PORT = 65535;

/** `ext-09`, `EXT-9`, `5061`, `3478/udp`, `50000-59999`, `50 000-59 999`; undefined when it is neither. */
export function parseQuery(text: string): Query | undefined {
  const plain = text.trim().toLowerCase();
  const [, table, number] = ROW.exec(plain) ?? [];
  if (table !== undefined && number !== undefined)
    return { kind: 'row', id: `${table}-${number.padStart(2, '0')}` };
  const port = PORT.exec(plain.replace(/(?<=\d)[ \u00a0\u202f](?=\d{3})/g, ''));
  if (port === null) return undefined;
  const first = Number(port[1]);
  const last = port[2] === undefined ? first : Number(port[2]);
  if (first < 1 || last < first || last > LAST_PORT) return undefined;
  return { kind: 'port', range: { first, last }, transport: port[3] as Transport | undefined };
}
