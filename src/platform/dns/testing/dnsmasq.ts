import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { recordData, type Zone } from '../records.ts';

const ADDRESS = '127.77.0.1';

/**
 * Starts dnsmasq, a name server that we did not write, on a port of its own or on 53; it ends with the test.
 * @returns its place, `address:port`
 */
export async function startDnsmasq(
  t: TestContext,
  settings: readonly string[],
  usualPort = false,
): Promise<string> {
  const port = usualPort ? 53 : await freePort();
  const child = spawn(
    'dnsmasq',
    [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--pid-file=',
      '--user=',
      '--log-facility=-',
      '--no-resolv',
      '--no-hosts',
      '--bind-interfaces',
      `--listen-address=${ADDRESS}`,
      `--port=${port}`,
      ...settings,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill();
    await ended;
  });
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (line.includes('started')) return `${ADDRESS}:${port}`;
  }
  throw new Error(`dnsmasq did not start: ${said.join('; ')}`);
}

/** A resolver that takes questions and says nothing; it ends with the test. */
export async function startSilence(t: TestContext): Promise<string> {
  const socket = createSocket('udp4').bind(0, ADDRESS);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return `${ADDRESS}:${socket.address().port}`;
}

/** The settings with which dnsmasq serves the records of zones. */
export function served(zones: readonly Zone[]): string[] {
  return zones.flatMap(({ origin, records }) => [
    `--local=/${origin}/`,
    ...records.map((record) => {
      if (record.type !== 'SRV') return `--host-record=${record.name},${recordData(record)}`;
      const { name, target, port, priority, weight } = record;
      return `--srv-host=${name},${target},${port},${priority},${weight}`;
    }),
  ]);
}

export async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, ADDRESS);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
