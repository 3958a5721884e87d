import { join } from 'node:path';
import { ADDRESSES, type BenchFolder, PORTS } from './bench-folder.ts';
import { PinnedProcess, SERVER_CORE } from './pinned-process.ts';
import { acceptsTcp } from './ready.ts';

/** Servers of the runtime that do next to nothing: what an edge can be at most, and what a connection takes at least. */
export const RUNTIME_SERVERS = {
  handing: { title: 'node:tls that only hands on', script: 'handing-on-server.ts', port: 5098 },
  bare: { title: 'bare node:tls', script: 'bare-tls-server.ts', port: 5099 },
} as const;
export type RuntimeServer = keyof typeof RUNTIME_SERVERS;

/** One of them, on the server's core. */
export async function startRuntimeServer(
  folder: BenchFolder,
  kind: RuntimeServer,
): Promise<{ process: PinnedProcess; host: string; port: number }> {
  const { title, script, port } = RUNTIME_SERVERS[kind];
  const host = ADDRESSES.peerServer;
  const nextHop = kind === 'handing' ? [ADDRESSES.nextHop, String(PORTS.nextHop)] : [];
  const server = new PinnedProcess({
    title,
    core: SERVER_CORE,
    command: process.execPath,
    args: [join(import.meta.dirname, script), folder.path, host, String(port), ...nextHop],
  });
  await server.ready(() => acceptsTcp(host, port));
  return { process: server, host, port };
}
