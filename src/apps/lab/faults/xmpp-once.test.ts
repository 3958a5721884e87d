import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SeverableWire } from '../../../platform/net/testing/severable-wire.ts';
import type { LabProgram } from '../program.ts';
import { Perimeter } from '../testing/perimeter.ts';
import { type SecondEdge, secondEdge } from '../testing/second-edge.ts';
import { Correspondence, type NumberedMessages } from './chaos/numbered-messages.ts';
import { edit, editFile, reloadAt } from './documents.ts';
import { Person } from './person.ts';
import { eventually, until } from './until.ts';

/*
 * Bob at our front end and juliet at a partner that acknowledges (XEP-0198) write numbered messages to one another, while
 * the gateway and the proxies of two edges are killed and a link and the streams between them are cut, at random and in the
 * very moment in which one of the two reads. Nobody reads a message twice; each one is read, or its sender is told.
 */

/** 127.67.x.y is the addresses of this file. */
const NETWORK = 67;
/** `npm run long:xmpp-kills` does more. */
const FAULTS = Number(process.env.SALLYPORT_XMPP_FAULTS ?? 20);
const SEED = Number(process.env.SALLYPORT_XMPP_SEED ?? Date.now() % 1_000_000);
const LONGEST_MS = 150;

let perimeter: Perimeter;
let second: SecondEdge;
let bob: Person;
let correspondence: Correspondence;
let link: SeverableWire;
let streams: SeverableWire;

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true, xmpp: true });
  const { names, internal, access } = perimeter.plan;
  const [outside, inside] = [`127.${NETWORK}.1.110`, `127.${NETWORK}.2.110`];
  link = new SeverableWire({ address: inside, port: 23456 }, { address: internal.address, port: 23456 });
  streams = new SeverableWire({ address: outside, port: 5269 }, { address: access.address, port: 5269 });
  await Promise.all([link.mend(), streams.mend()]);
  second = await secondEdge(perimeter);
  edit(perimeter, 'internal', {
    'xmppGateway.edges': [
      { name: names.edge, address: inside },
      { name: second.name, address: second.plan.internal.address },
    ],
    'xmppGateway.answerSeconds': 1,
  });
  bob = new Person(perimeter, 'bob');
  await Promise.all([perimeter.start(), second.program.start()]);
  await bob.connect();
  correspondence = await Correspondence.start(perimeter, bob, outside);
});
after(async () => {
  await correspondence?.stop();
  await bob?.leave();
  await second?.program.stop();
  await perimeter.stop();
  await Promise.all([link.cut(), streams.cut()]);
});

/** Numbers below 1 that the seed decides (a linear congruential generator; for a test that is enough). */
let state = SEED;
function chance(): number {
  state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
  return state / 2 ** 31;
}
function oneOf<T>(all: readonly T[]): T {
  return all[Math.floor(chance() * all.length)] ?? assert.fail('nothing to choose from');
}

const PROXY = 'xmpp-proxy';
const killed = {
  gateway: () => [perimeter.internal, 'xmpp-gateway', 'xmppGateway.keepAliveSeconds'],
  proxy: () => [perimeter.edge, PROXY, 'policy.xmpp.limits.stanzasWaiting'],
  'other proxy': () => [second.program, PROXY, 'policy.xmpp.limits.stanzasWaiting'],
} satisfies Record<string, () => readonly [LabProgram, string, string]>;
const faults = ['gateway', 'proxy', 'other proxy', 'link', 'streams'] as const;
const moments = ['at random', 'when bob reads', 'when juliet reads'] as const;

/** Calls it in the moment itself: nothing else of this process runs in between. */
async function inThe(moment: (typeof moments)[number], act: () => void): Promise<void> {
  if (moment === 'at random') {
    await new Promise((resolve) => setTimeout(resolve, chance() * LONGEST_MS));
    return act();
  }
  const messages = moment === 'when bob reads' ? correspondence.fromJuliet : correspondence.fromBob;
  await new Promise<void>((resolve) => {
    messages.onRead = () => {
      messages.onRead = undefined;
      act();
      resolve();
    };
  });
}

async function processOf(program: LabProgram, name: string) {
  const service = (await program.status())?.services.find((one) => one.name === name);
  return service ?? assert.fail(`there is no ${name}`);
}

/** A document that differs a little makes the supervisor start what waits for its back-off. */
let documents = 100;
async function hurry(program: LabProgram, setting: string): Promise<void> {
  documents += 1;
  editFile(program.options.document, { [setting]: documents });
  await reloadAt(program.options.socket);
}

/** Those that were killed, on their way back. */
const back = new Map<string, Promise<void>>();

/** Messages go on meanwhile, where there is another way; the same one is killed again only when it is back. */
async function kill(victim: keyof typeof killed, moment: (typeof moments)[number]): Promise<void> {
  await back.get(victim);
  const [program, service, setting] = killed[victim]();
  const { pid } = await processOf(program, service);
  assert.ok(pid !== undefined);
  await inThe(moment, () => process.kill(pid, 'SIGKILL'));
  const returns = until(`${service} is back`, async () => {
    const now = await processOf(program, service);
    if (now.state === 'waiting') await hurry(program, setting);
    return now.pid !== undefined && now.pid !== pid && now.health.ok;
  });
  back.set(victim, returns);
}

async function cut(wire: SeverableWire, moment: (typeof moments)[number]): Promise<void> {
  let done: Promise<void> | undefined;
  await inThe(moment, () => {
    done = wire.cut();
  });
  await done;
  await wire.mend();
}

/** Messages arrive again in both directions. */
async function flows(): Promise<void> {
  const goals = [correspondence.fromBob, correspondence.fromJuliet].map(
    (messages): [NumberedMessages, number] => [messages, messages.read + 3],
  );
  await until('messages arrive both ways', () => goals.every(([{ read }, goal]) => read >= goal)).catch(
    (problem: unknown) => assert.fail(`${String(problem)}\n${perimeter.logs()}`),
  );
}

test(`${FAULTS} kills and cuts while messages go both ways: none is read twice, and each is read or its sender is told (seed ${SEED})`, async (t) => {
  await eventually('the way is open', () => bob.phone.message('sip:juliet@verona.test', 'hello'));
  correspondence.write();
  await flows();
  const began = performance.now();
  for (let count = 0; count < FAULTS; count++) {
    const [fault, moment] = [oneOf(faults), oneOf(moments)];
    if (fault === 'link') await cut(link, moment);
    else if (fault === 'streams') await cut(streams, moment);
    else await kill(fault, moment);
    await flows();
    t.diagnostic(
      `${fault} ${moment}: ${Math.round(performance.now() - began)} ms, bob-${correspondence.fromBob.fates.length}, juliet-${correspondence.fromJuliet.fates.length}`,
    );
  }
  await Promise.all(back.values());
  await correspondence.end();
  for (const messages of [correspondence.fromBob, correspondence.fromJuliet]) {
    const told = messages.fates.filter(({ told: what }) => what !== 'accepted');
    t.diagnostic(
      `${messages.fates.length} messages, ${messages.read} read, of ${told.length} senders were told: ` +
        [...new Set(told.map(({ told: what }) => what))].join('; '),
    );
    assert.deepEqual(messages.wrong(), []);
  }
});
