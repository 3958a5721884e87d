/** What peers are told of a cause: no server, no name of the inside ([MS-OCER] §2.2.1.2). */
export const PUBLIC_DIAGNOSTICS = 'ms-diagnostics-public';

/** The published numbers and texts that this edge gives ([MS-OCER] §2.2.1.2, port rows ext-06 and ext-07). */
const TEXTS: ReadonlyMap<number, string> = new Map([
  [1001, 'From URI not authorized to communicate with public IM providers'],
  [1002, 'From URI not authorized to communicate with federated partners'],
  [1005, 'Cannot route to destination domain'],
  [1007, 'Temporarily cannot route'],
  [1008, 'Unable to resolve DNS SRV record'],
  [1009, 'Conflicting SRV and host domains in DNS'],
  [1010, 'Certificate trust with next-hop server could not be established'],
  [1012, 'From URI is not authorized to communicate with users outside the enterprise'],
  [1014, 'Unable to resolve DNS A record'],
  [1017, 'Cannot route From and To domains in this combination'],
  [1027, 'Cannot route this type of SIP request to or from federated partners'],
]);

/** `1010;reason="…"`, as a header field. */
export function publicDiagnostics(id: number): [string, string] {
  return [PUBLIC_DIAGNOSTICS, `${id};reason="${TEXTS.get(id) ?? 'Refused'}"`];
}
