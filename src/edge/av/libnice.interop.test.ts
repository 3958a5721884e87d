import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '#kernel';
import { Bench } from './testing/bench.ts';

const EXTERNAL = '127.0.9.101';
const INTERNAL = '127.0.9.102';
/** Where the agents' own sockets stand. */
const OUTSIDE = '127.0.9.103';
const INSIDE = '127.0.9.104';
const MESSAGES = 200;
/** libnice renews in the middle of a lifetime as short as this one, so that the messages outlast a renewal. */
const SHORT_LIFETIME_SECONDS = 4;
const INTERVAL_MS = 15;

/** The edge of somebody else, where connections from outside are welcome. */
const OTHER = '127.0.9.105';
const OTHER_INTERNAL = '127.0.9.106';

let bench: Bench;
let folder: string;
let program: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-libnice-'));
  program = join(folder, 'pair');
  const source = join(import.meta.dirname, 'testing', 'libnice', 'pair.c');
  const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'nice'], { encoding: 'utf8' }).trim();
  execFileSync('gcc', ['-o', program, source, ...flags.split(/\s+/)]);
  bench = await Bench.start({
    external: [EXTERNAL],
    internal: [INTERNAL],
    ports: [56_200, 56_399],
    allowedPeers: [`${OTHER}/32`],
  });
});

after(async () => {
  await bench?.stop();
  rmSync(folder, { recursive: true, force: true });
});

let identities = 0;
function side(
  address: string,
  server: string,
  port: number,
  how: 'udp' | 'tls',
  at: Bench = bench,
): string[] {
  identities += 1;
  const { username, password } = at.token(`sip:user${identities}@example.test`);
  return [address, server, String(port), how, username, password];
}

/** Runs a pair to its end; its lines. */
async function pair(one: string[], two: string[]): Promise<string[]> {
  const child = spawn(program, [String(MESSAGES), String(INTERVAL_MS), ...one, ...two]);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, `${output}${JSON.stringify(await bench.verb('counters'))}`);
  return output.split('\n');
}

interface Counters {
  readonly allocations: number;
  readonly drops: Readonly<Record<string, number>>;
  readonly relayed: {
    readonly switchedPackets: number;
    readonly rawPackets: number;
    readonly renewals: number;
  };
}
const counters = async () => structuredClone(await bench.verb('counters')) as Counters;

describe('two agents of libnice in OC2007R2 mode', () => {
  test('over UDP, outside to inside: 200 messages each way, raw, through renewals and the end', async () => {
    await withLifetime(SHORT_LIFETIME_SECONDS);
    const { raw, renewals } = await outsideToInside('udp');
    assert.ok(raw >= 2 * MESSAGES - 20, `${raw} raw`);
    assert.ok(renewals >= 2, `${renewals} renewals`);
    const metrics = await bench.metrics.text();
    assert.match(metrics, /allocations_closed_total\{cause="deallocated"\} 2/);
  });

  // This version of the library neither renews nor ends what it allocated over a stream: it closes the connection.
  test('over pseudo-TLS, outside to inside: 200 messages each way, raw, until the connections close', async () => {
    await withLifetime(600);
    const { raw } = await outsideToInside('tls');
    assert.ok(raw >= 2 * MESSAGES - 20, `${raw} raw`);
    const metrics = await bench.metrics.text();
    assert.match(metrics, /allocations_opened_over_total\{transport="pseudo-tls"\} 2/);
    assert.match(metrics, /allocations_closed_total\{cause="connection-closed"\} 2/);
  });

  test('over pseudo-TLS by two edges: TCP from one relay range to the other, 200 messages each way [setting policy.federation.mediaProfiles]', async (t) => {
    await withLifetime(600);
    const other = await Bench.start({
      external: [OTHER],
      internal: [OTHER_INTERNAL],
      ports: [56_400, 56_499],
      allowedPeers: [`${EXTERNAL}/32`],
    });
    t.after(() => other.stop());
    for (const edge of [bench, other]) {
      edge.document.policy.features.federation = true;
      edge.document.policy.federation.mediaProfiles = ['ice', 'legacy-ocs2007'];
      await edge.apply();
    }
    const before = await counters();
    const lines = await pair(
      side(OUTSIDE, EXTERNAL, bench.port(EXTERNAL, 'tcp'), 'tls'),
      side(INSIDE, OTHER, other.port(OTHER, 'tcp'), 'tls', other),
    );
    assert.ok(lines.includes(`received ${MESSAGES} ${MESSAGES}`), lines.join('\n'));
    const { relayed } = await counters();
    assert.equal(relayed.switchedPackets, before.relayed.switchedPackets, 'nothing was switched inside');
    await until(async () => (await counters()).allocations === 0);
  });

  test('an edge that is drained sends the agent to another one of its pool, where all goes on', async (t) => {
    await withLifetime(600);
    const other = await Bench.start({
      external: [OTHER],
      internal: [OTHER_INTERNAL],
      ports: [56_500, 56_599],
      allowedPeers: [],
    });
    t.after(() => other.stop());
    const { document } = bench;
    const members = [
      { name: document.host.name, addresses: { ...document.host.addresses } },
      { name: 'other.int.example.test', addresses: { ...other.document.host.addresses } },
    ];
    Object.assign(document.policy, { pool: { ...document.policy.pool, members } });
    document.policy.ports.avUdp = other.port(OTHER);
    await bench.apply();
    await bench.service.drain();
    const lines = await pair(
      side(OUTSIDE, EXTERNAL, bench.port(EXTERNAL), 'udp'),
      side(INSIDE, OTHER_INTERNAL, other.port(OTHER_INTERNAL), 'udp', other),
    );
    assert.ok(lines.includes(`received ${MESSAGES} ${MESSAGES}`), lines.join('\n'));
    const { relayed } = (await other.verb('counters')) as Counters;
    assert.ok(relayed.switchedPackets >= 2 * MESSAGES, 'both were there');
    assert.equal(bench.service.remaining(), 0);
    assert.match(await bench.metrics.text(), /refus\w*\{[^}]*300[^}]*\} [1-9]/);
  });
});

async function withLifetime(seconds: number): Promise<void> {
  bench.document.policy.limits.av.lifetimeSeconds = seconds;
  await bench.apply();
}

/** An outside and an inside agent meet; what the relay counted meanwhile. Nothing is left of them. */
async function outsideToInside(how: 'udp' | 'tls'): Promise<{ raw: number; renewals: number }> {
  const before = await counters();
  const transport = how === 'udp' ? 'udp' : 'tcp';
  const lines = await pair(
    side(OUTSIDE, EXTERNAL, bench.port(EXTERNAL, transport), how),
    side(INSIDE, INTERNAL, bench.port(INTERNAL, transport), how),
  );
  assert.ok(lines.includes(`received ${MESSAGES} ${MESSAGES}`), lines.join('\n'));
  assert.ok(
    lines.some((line) => line.startsWith('one pair 3 3 ')) &&
      lines.some((line) => line.startsWith('two pair 3 3 ')),
  );
  await until(async () => (await counters()).allocations === 0);
  const { drops, relayed } = await counters();
  assert.ok(relayed.switchedPackets - before.relayed.switchedPackets >= 2 * MESSAGES);
  assert.deepEqual(
    Object.keys(drops).filter((reason) => reason !== 'peer-without-permission'),
    [],
  );
  return {
    raw: relayed.rawPackets - before.relayed.rawPackets,
    renewals: relayed.renewals - before.relayed.renewals,
  };
}
