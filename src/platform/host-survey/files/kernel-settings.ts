import type { PortRange } from '#platform/topology';

/** A file with one whole number; undefined for anything else. */
export function parseNumber(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  return /^-?\d{1,15}$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** A switch of the kernel: 0 is off. */
export function parseSwitch(text: string | undefined): boolean | undefined {
  const number = parseNumber(text);
  return number === undefined ? undefined : number !== 0;
}

/** net.ipv4.ip_local_port_range: first and last. */
export function parsePortRange(text: string | undefined): PortRange | undefined {
  const match = /^\s*(\d{1,5})\s+(\d{1,5})\s*$/.exec(text ?? '');
  return match === null ? undefined : { first: Number(match[1]), last: Number(match[2]) };
}

/** net.ipv4.ip_local_reserved_ports: `8080,50000-59999`, or nothing. */
export function parsePortList(text: string | undefined): PortRange[] | undefined {
  if (text === undefined) return undefined;
  const ranges: PortRange[] = [];
  for (const part of text.trim().split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    if (match !== null) ranges.push({ first: Number(match[1]), last: Number(match[2] ?? match[1]) });
  }
  return ranges;
}

/** /proc/self/limits: the most open files; Infinity when unlimited. */
export function parseOpenFiles(text: string | undefined): number | undefined {
  const limit = /^Max open files\s+(\d+|unlimited)\s/m.exec(text ?? '')?.[1];
  if (limit === undefined) return undefined;
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

const NET_BIND_SERVICE = 1n << 10n;

/** /proc/self/status: whether the effective capabilities hold CAP_NET_BIND_SERVICE. */
export function parseMayBindLowPorts(text: string | undefined): boolean | undefined {
  const effective = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(text ?? '')?.[1];
  return effective === undefined ? undefined : (BigInt(`0x${effective}`) & NET_BIND_SERVICE) !== 0n;
}
