import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { LogEvent } from '#protocols/log-query';
import { runCommandLine } from '../../cli/index.ts';
import { FollowedLogs } from '../testing/followed-logs.ts';
import { Perimeter } from '../testing/perimeter.ts';
import { edit } from './documents.ts';
import { Person } from './person.ts';
import { until } from './until.ts';

/*
 * The logging agent is killed again and again while people write to one another: nobody else notices, what a sync had
 * confirmed is there, and what ran runs.
 */

/** 127.89.x.y is the addresses of this file. */
const NETWORK = 89;
const KILLS = 3;
let perimeter: Perimeter;

async function logs(...args: string[]): Promise<string> {
  const [out, said]: [string[], string[]] = [[], []];
  const terminal = {
    out: (text: string) => void out.push(text),
    error: (text: string) => void said.push(text),
  };
  const socket = ['--socket', perimeter.files.internalSocket];
  assert.equal(await runCommandLine(['logs', ...args, ...socket], terminal), 0, said.join('\n'));
  return out.join('\n');
}
async function agent() {
  const status = await perimeter.edge.status();
  return status?.services.find(({ name }) => name === 'logging-agent');
}

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  const { names, internal } = perimeter.plan;
  edit(perimeter, 'internal', {
    'logging.edges': [{ name: names.edge, address: internal.address }],
    'logging.answerSeconds': 20,
  });
  await perimeter.start();
});
after(async () => {
  await perimeter.stop();
});

test('a logging agent that is killed loses nothing that a sync confirmed, and nobody else notices', async () => {
  const [alice, bob] = [await Person.arrive(perimeter, 'alice'), await Person.arrive(perimeter, 'bob')];
  try {
    await logs('start', 'Mine', '--provider', 'Sip:verbose', '--for', '10m');
    for (let round = 1; round <= KILLS; round++) {
      await alice.write(bob, `written before kill ${round}`);
      await logs('sync');
      const victim = (await agent())?.pid ?? assert.fail('no agent');
      process.kill(victim, 'SIGKILL');
      await alice.write(bob, `written while it was away, ${round}`);
      await until('the agent is back', async () => {
        const now = await agent();
        return now?.pid !== undefined && now.pid !== victim && now.health.ok;
      });
      assert.match(await logs('show'), /AlwaysOn[\s\S]*Mine/);
      const found = (
        await logs('search', '--json', '--uri', alice.address, '--text', 'MESSAGE sip:', '--all')
      )
        .split('\n')
        .map((line) => JSON.parse(line) as LogEvent);
      const calls = new Set(found.flatMap(({ keys }) => keys.callId ?? []));
      assert.ok(calls.size >= round, `${calls.size} messages of ${round} that were confirmed`);
    }
  } finally {
    await Promise.all([alice.leave(), bob.leave()]);
  }
});

test('in a single process the agent stores, searches, follows and copies as in one of its own', async () => {
  await perimeter.edge.stop();
  await perimeter.edge.start({}, ['--single-process']);
  assert.equal((await agent())?.pid, perimeter.edge.pid ?? assert.fail('no edge'));
  const followed = new FollowedLogs(perimeter.files.internalSocket, ['--provider', 'Sip']);
  const [alice, bob] = [await Person.arrive(perimeter, 'alice'), await Person.arrive(perimeter, 'bob')];
  try {
    await until('what is written is followed', async () => {
      await alice.write(bob, 'written in a single process');
      assert.ok(followed.running, followed.said);
      return followed.lines.some((line) => line.includes('MESSAGE sip:'));
    });
    const started = await logs('update', 'Mine', '--provider', 'Sip:verbose', '--for', '10m');
    assert.match(started, /runs AlwaysOn, Mine/);
    await logs('sync');
    const found = await logs('search', '--json', '--uri', alice.address, '--text', 'MESSAGE sip:', '--all');
    assert.ok(found.split('\n').length >= 1);
    const folder = join(perimeter.plan.folder, 'single');
    await logs('export', folder);
    assert.ok(readdirSync(folder).some((file) => file.endsWith('.jsonl')));
  } finally {
    await Promise.all([followed.stop(), alice.leave(), bob.leave()]);
  }
});
