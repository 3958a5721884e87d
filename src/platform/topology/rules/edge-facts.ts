import type { Draft, ReadSetting } from '../document/read-document.ts';
import type { Path } from '../finding.ts';
import type { TracedListener } from '../plan/listeners.ts';
import type { EdgeDocument } from '../schema/edge-schema.ts';
import type { CommonFacts } from './common.ts';

export interface EdgeFacts extends CommonFacts {
  readonly draft: Draft<EdgeDocument>;
  readonly settings: readonly ReadSetting[];
  readonly listeners: readonly TracedListener[];
}

/** An address and where it stands in the document. */
export interface Placed {
  readonly address: string;
  readonly path: Path;
}

export const EXTERNAL = ['access', 'webConferencing', 'av'] as const;
export const POOL: Path = ['policy', 'pool'];

export type Addresses = Draft<EdgeDocument['host']['addresses']>;

export function addressesOf(
  draft: Draft<EdgeDocument>,
  kind: (typeof EXTERNAL)[number] | 'internal',
): Placed[] {
  const placed: Placed[] = [];
  for (const [index, address] of (draft.host?.addresses?.[kind] ?? []).entries()) {
    if (address !== undefined) placed.push({ address, path: ['host', 'addresses', kind, index] });
  }
  return placed;
}

/** Every external address once; a default taken from `access` is not said again. */
export function externalAddresses(draft: Draft<EdgeDocument>): Placed[] {
  const placed = new Map<string, Placed>();
  for (const kind of EXTERNAL) {
    for (const one of addressesOf(draft, kind)) {
      if (!placed.has(one.address)) placed.set(one.address, one);
    }
  }
  return [...placed.values()];
}

export function networksOf(draft: Draft<EdgeDocument>): string[] {
  return (draft.policy?.internalNetworks ?? []).filter((network) => network !== undefined);
}

/** This host's addresses and those of every member, with their places. */
export function places(draft: Draft<EdgeDocument>): { addresses: Addresses; path: Path }[] {
  const own = { addresses: draft.host?.addresses, path: ['host', 'addresses'] as Path };
  const members = (draft.policy?.pool?.members ?? []).map((member, index) => {
    return { addresses: member?.addresses, path: [...POOL, 'members', index, 'addresses'] };
  });
  return [own, ...members].filter(
    (one): one is { addresses: Addresses; path: Path } => one.addresses !== undefined,
  );
}
