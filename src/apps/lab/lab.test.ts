import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Phone } from '#apps/softphone';
import { hasProsody } from '#apps/xmpp-partner';
import { SystemClock, SystemRandom } from '#kernel';
import { loadTrustAnchors } from '#platform/pki';
import { SecondClient } from '../participant/testing/second-client/second-client.ts';
import { marked, processesOf, socketsOf } from './faults/leftovers.ts';
import { until } from './faults/until.ts';

const ENTRY = join(import.meta.dirname, '..', 'cli', 'main.ts');
/** 127.71.x.y is the addresses of this file. */
const NETWORK = 71;

/** Messages and presence with somebody at a partner, both ways. */
function assertRomeo({ output }: LabCommand, server: string): void {
  assert.ok(output.includes(`With romeo at an XMPP partner (${server})`), output);
  for (const step of [
    /\[ext-05 int-03 int-01 xmpp-02\] +alice to romeo: "Good/,
    /\[ext-01 xmpp-01 int-01 int-02 ext-05\] romeo to alice: "It is/,
    /romeo goes away, bob is notified: away/,
    /romeo is told: dnd, at the balcony/,
  ])
    assert.match(output, step);
}

/** `sallyport lab` as somebody at a terminal runs it, with a folder of its own. */
class LabCommand {
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-lab-'));
  readonly #mark = randomUUID();
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  output = '';

  constructor(t: TestContext, ...more: string[]) {
    const words = ['lab', '--folder', join(this.folder, 'lab'), '--network', `${NETWORK}`, ...more];
    this.#child = spawn(process.execPath, [ENTRY, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...marked(this.#mark) },
    });
    this.#exit = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    t.after(() => this.#cleanUp());
  }
  /** The exit status. */
  async ended(): Promise<unknown> {
    const [status] = await this.#exit;
    return status;
  }
  async says(text: string): Promise<void> {
    await until(`it says "${text}", so far:\n${this.output}`, () => {
      assert.equal(this.#child.exitCode, null, this.output);
      return this.output.includes(text);
    });
  }
  interrupt(): void {
    this.#child.kill('SIGINT');
  }
  /** As nothing can be said after it. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
  /** The events that a program has logged, the last one last. */
  logged(program: 'edge' | 'internal'): string[] {
    const lines = readFileSync(join(this.folder, 'lab', `${program}.log`), 'utf8')
      .trim()
      .split('\n');
    return lines.map((line) => (JSON.parse(line) as { event: string }).event);
  }
  /** Nothing of it runs, listens, or lies about as a socket file. */
  assertNothingLeft(): void {
    assert.deepEqual(processesOf(this.#mark), []);
    this.#assertNothingHeld();
  }
  /** The same, for programs that were ended in the middle of their start: their services follow them. */
  async nothingIsLeft(): Promise<void> {
    await until('every process of it has ended', () => processesOf(this.#mark).length === 0);
    this.#assertNothingHeld();
  }

  #assertNothingHeld(): void {
    assert.deepEqual(socketsOf(NETWORK), []);
    const files = readdirSync(this.folder, { recursive: true, withFileTypes: true });
    assert.deepEqual(
      files.filter((file) => file.isSocket()).map(({ name }) => name),
      [],
    );
  }

  #cleanUp(): void {
    for (const pid of processesOf(this.#mark)) process.kill(pid, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

test('once: the demonstration is told with its port rows, loses nothing and leaves nothing', async (t) => {
  const lab = new LabCommand(t, '--once', '--call-seconds', '1');
  assert.equal(await lab.ended(), 0, lab.output);
  const rows = ['ext-05', 'int-02', 'int-03', 'int-05', 'ext-14', 'int-06', 'more-02'];
  const more = ['ext-01', 'xmpp-01', 'xmpp-02', 'int-01', 'xmpp-03', 'ext-08', 'int-04', 'more-12'];
  for (const row of [...rows, ...more]) {
    assert.match(lab.output, new RegExp(`\\[[^\\]]*\\b${row}\\b`), row);
  }
  const counts = [...lab.output.matchAll(/(\w+): (\d+) packets sent, (\d+) received, (\d+) lost/g)];
  assert.deepEqual(
    counts.map(([, who]) => who),
    ['alice', 'bob', 'alice', 'carol'],
  );
  for (const [one, other] of [counts.slice(0, 2), counts.slice(2)]) {
    const [, , sent, received, lost] = one ?? assert.fail();
    assert.ok(Number(sent) >= 50, `${sent} packets in a second`);
    assert.deepEqual([sent, received, lost], [other?.[3], other?.[2], '0'], lab.output);
    assert.equal(other?.[4], '0');
  }
  assert.match(lab.output, /carol publishes, alice is notified: open in a meeting/);
  for (const who of ['alice', 'the guest', 'bob'])
    assert.match(lab.output, new RegExp(`${who} draws a line, and all three see it`));
  assert.match(lab.output, /all three vote: "Shall we build it\?" yes 2, no 1/);
  assertRomeo(lab, hasProsody() ? 'Prosody' : 'a partner of our own making');
  assert.match(lab.output, /the relay counts (\d+) datagrams for the call, both ends received \1\n/);
  assert.match(lab.output, /Everything worked\./);
  assert.ok(!lab.output.includes('Sign in with a softphone'), 'it does not invite anybody');
  lab.assertNothingLeft();
  for (const program of ['edge', 'internal'] as const) assert.equal(lab.logged(program).at(-1), 'stopped');
});

test('a port that is taken: status 1, the reason names it, nothing is left', async (t) => {
  const squatter = createSocket('udp4').bind(3478, `127.${NETWORK}.1.30`);
  await once(squatter, 'listening');
  const lab = new LabCommand(t, '--once');
  const status = await lab.ended();
  squatter.close();
  assert.equal(status, 1, lab.output);
  assert.match(lab.output, /The demonstration failed/);
  assert.match(lab.output, /sallyport edge ended before it was healthy/);
  assert.match(lab.output, new RegExp(`SLP-SVC-0002 .*udp 127\\.${NETWORK}\\.1\\.30:3478`));
  assert.match(lab.output, /Logs: .*edge\.log/);
  assert.doesNotMatch(lab.output, /Everything worked/);
  await lab.nothingIsLeft();
});

test('the place of the partner is taken: status 1, the reason names it, nothing is left', async (t) => {
  const squatter = createServer().listen(5269, `127.${NETWORK}.3.10`);
  await once(squatter, 'listening');
  t.after(() => squatter.close());
  const servers = ['own', ...(hasProsody() ? ['prosody'] : [])];
  const labs: LabCommand[] = [];
  for (const server of servers) {
    const lab = new LabCommand(t, '--once', '--partner', server);
    labs.push(lab);
    assert.equal(await lab.ended(), 1, lab.output);
    assert.match(
      lab.output,
      server === 'own' ? /partner did not start: .*EADDRINUSE/ : /Prosody .*'s2s' on no ports/s,
    );
  }
  squatter.close();
  for (const lab of labs) await lab.nothingIsLeft();
});

test('a folder that holds something else is left alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-not-a-lab-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const mine = join(folder, 'thesis.txt');
  writeFileSync(mine, 'the only copy');
  const lab = new LabCommand(t, '--once', '--folder', folder);
  assert.equal(await lab.ended(), 1, lab.output);
  assert.match(lab.output, /holds something else than a lab/);
  assert.equal(readFileSync(mine, 'utf8'), 'the only copy');
});

test('it stays up, one can sign in as it says, and Ctrl-C ends it', async (t) => {
  const lab = new LabCommand(t, '--call-seconds', '1', '--partner', 'own');
  await lab.says('Ctrl-C stops everything.');
  assertRomeo(lab, 'a partner of our own making');
  const said = (pattern: RegExp) => pattern.exec(lab.output) ?? assert.fail(`${pattern}\n${lab.output}`);
  const [, address = '', port, name = ''] = said(/server +(\S+) port (\d+), TLS, name (\S+)/);
  const [, authority = ''] = said(/CA file +(\S+)/);
  const [, user, password = ''] = said(/account +(phone@\S+) +password (\S+)/);
  said(/TURN server +127\.71\.1\.30 port 3478, UDP\n +user \d+:phone +password \S+/);
  const trust = loadTrustAnchors(authority);
  assert.ok(trust.ok);
  const phone = await Phone.connect({
    clock: new SystemClock(),
    random: new SystemRandom(),
    identity: { address: `sip:${user}`, password },
    server: { address, port: Number(port), name },
    localAddress: `127.${NETWORK}.5.9`,
    trust: trust.value,
    hosts: new Map(),
  });
  t.after(() => phone.close());
  assert.equal((await phone.signIn()).outside, true);
  await lab.says('1 callers connected');
  const [, link = ''] = said(/meeting +(https:\/\/conf\.lab\.test\/#conference=\S+)/);
  const [, inside] = said(/from inside +https:\/\/fe1\.int\.lab\.test:8057\/(#conference=\S+)/);
  assert.equal(inside, new URL(link).hash);
  said(
    /chromium --user-data-dir=\S+ --host-resolver-rules="MAP sip\.lab\.test 127\.71\.1\.10,.+MAP fe1\.int\.lab\.test 127\.71\.4\.10"/,
  );
  const skip = existsSync('/usr/bin/python3') ? false : 'Python is not installed';
  await t.test('a client in Python that was written from the documents draws there', { skip }, async () => {
    const signalling = { address, port: Number(port), name };
    const local = `127.${NETWORK}.5.9`;
    const hosts = { 'conf.lab.test': `127.${NETWORK}.1.20` };
    const second = new SecondClient({ link, name: 'Ada', signalling, authority, hosts, local });
    t.after(() => second.stop());
    assert.deepEqual((await second.hears(({ event }) => event === 'joined')).role, 'attendee');
    const [content] = (await second.called('cContentAdded')).values ?? [];
    await second.called('cConnectCompleted', 'annotationContainer');
    second.do({ do: 'draw', content, number: 1, points: [500, 500, 600, 600] });
    await second.hears(
      ({ method, values }) => method === 'cAdded' && String(values?.[6]).startsWith('500,500'),
    );
    second.do({ do: 'leave' });
    assert.equal((await second.hears(({ event }) => event === 'left')).status, 200);
  });
  lab.interrupt();
  assert.equal(await lab.ended(), 0, lab.output);
  assert.match(lab.output, /Stopping \.\.\./);
  lab.assertNothingLeft();
  // They stopped by themselves, within the time that they have before they are killed.
  for (const program of ['edge', 'internal'] as const) assert.equal(lab.logged(program).at(-1), 'stopped');
});

test('interrupted while the programs start: nothing is left, and the demonstration did not succeed', async (t) => {
  for (const moment of ['edge.yaml', 'sallyport edge is healthy']) {
    const lab = new LabCommand(t, '--once');
    await lab.says(moment);
    lab.interrupt();
    lab.interrupt();
    assert.equal(await lab.ended(), 1, lab.output);
    assert.match(lab.output, /Interrupted/);
    await lab.nothingIsLeft();
  }
});

test('killed while it runs: its programs see it and end by themselves', async (t) => {
  const lab = new LabCommand(t, '--call-seconds', '1');
  await lab.says('Sign in with a softphone');
  lab.kill();
  await lab.nothingIsLeft();
});
