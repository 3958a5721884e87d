import assert from 'node:assert/strict';
import { until } from '#kernel';
import type { AccessLab } from './lab.ts';

/** What the service and its process hold at one moment. */
export interface Held {
  readonly levels: Readonly<Record<string, number>>;
  /** Handles of the process on TCP connections, those of the test included. */
  readonly handles: number;
}

const LEVELS =
  /^sallyport_\w*?(client_connections|next_hop_connections|inbound_connections|outbound_connections|flows|server_transactions|client_transactions)(?:\{[^}]*\})? (\d+)$/gm;
const KINDS = 7;

/** The tables of the service, by the last words of their metrics. */
export async function levelsOf(lab: AccessLab): Promise<Record<string, number>> {
  const levels: Record<string, number> = {};
  for (const [, name, value] of (await lab.metrics.text()).matchAll(LEVELS))
    levels[name ?? ''] = (levels[name ?? ''] ?? 0) + Number(value);
  assert.equal(Object.keys(levels).length, KINDS, 'the metrics have these names');
  return levels;
}
export async function heldBy(lab: AccessLab): Promise<Held> {
  return { levels: await levelsOf(lab), handles: tcpHandles() };
}

/** As many connections, requests and handles as before. */
export async function nothingIsLeft(lab: AccessLab, { levels, handles }: Held): Promise<void> {
  let now = {};
  await until(async () => {
    now = await levelsOf(lab);
    return JSON.stringify(now) === JSON.stringify(levels);
  }).catch(() => assert.deepEqual(now, levels));
  await until(() => tcpHandles() <= handles);
}

function tcpHandles(): number {
  return process.getActiveResourcesInfo().filter((kind) => /^(TCPSocketWrap|TLSWrap)$/.test(kind)).length;
}
