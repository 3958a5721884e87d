import { join } from 'node:path';
import { run } from '../network/command.ts';
import type { Host } from '../network/host.ts';

export type FirewallKind = 'external' | 'internal' | 'host';

const SALLYPORT = join(import.meta.dirname, '../../src/apps/cli/main.ts');
const TABLE = ['inet', 'sallyport'] as const;
const ROW = /^[a-z]+-\d\d$/;

/** The rules that an operator gets for this firewall: what the command prints, to the letter. */
export function generatedRules(document: string, kind: FirewallKind): Promise<string> {
  return run(process.execPath, [SALLYPORT, ...command(document, kind, 'nftables')]);
}

/** The ports that the kernel of an edge is to keep free, as the command prints them. */
export async function reservePorts(host: Host, document: string): Promise<void> {
  const text = await run(process.execPath, [SALLYPORT, ...command(document, 'host', 'sysctl')]);
  await host.run('sysctl', ['-q', '-p', '-'], text);
}

/** Loads them on a host, in the place of those before. */
export async function loadRules(host: Host, text: string): Promise<void> {
  await host.run('nft', ['-f', '-'], text);
}

function command(document: string, kind: FirewallKind, format: 'nftables' | 'sysctl'): string[] {
  return ['firewall', document, '--for', kind, '--format', format];
}

/** A rule's counter, as a row of the report shows it. */
export interface RuleCount {
  readonly counter: string;
  readonly packets: number;
}

/** What the generated rules of a host have counted, by the port row that they carry. */
export async function rowCounts(host: Host): Promise<ReadonlyMap<string, readonly RuleCount[]>> {
  const { nftables } = JSON.parse(await host.run('nft', ['-j', 'list', 'table', ...TABLE])) as Listing;
  const packets = new Map(
    nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets]] : [])),
  );
  const counts = new Map<string, RuleCount[]>();
  for (const { rule } of nftables) {
    const counter = rule?.expr.find((expression) => typeof expression.counter === 'string')?.counter;
    if (rule === undefined || counter === undefined) continue;
    for (const row of rowsOf(rule.comment ?? '')) {
      counts.set(row, [...(counts.get(row) ?? []), { counter, packets: packets.get(counter) ?? 0 }]);
    }
  }
  return counts;
}

/** The ids of the rows stand before the colon of a rule's comment. */
function rowsOf(comment: string): string[] {
  return (comment.split(':')[0] ?? '').split(' ').filter((word) => ROW.test(word));
}

/** The chain of the generated table that decides at this hook. */
export async function chainAt(host: Host, hook: 'input' | 'forward' | 'output'): Promise<string> {
  const { nftables } = JSON.parse(await host.run('nft', ['-j', 'list', 'table', ...TABLE])) as Listing;
  const chain = nftables.find((entry) => entry.chain?.hook === hook && entry.chain.policy === 'drop')?.chain;
  if (chain === undefined) throw new Error(`${host.name} has no chain that denies by default at ${hook}`);
  return chain.name;
}
/** Puts a rule that nobody planned before all others. */
export async function insertRule(host: Host, chain: string, rule: string): Promise<void> {
  await host.run('nft', ['insert', 'rule', ...TABLE, chain, ...rule.split(' ')]);
}

interface Listing {
  readonly nftables: readonly {
    readonly counter?: { readonly name: string; readonly packets: number };
    readonly chain?: { readonly name: string; readonly hook?: string; readonly policy?: string };
    readonly rule?: {
      readonly chain: string;
      readonly comment?: string;
      readonly expr: readonly { readonly counter?: string }[];
    };
  }[];
}
