import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type HeardPresence, PresenceClient } from '#apps/softphone';
import { sallyport } from '../cli/testing/printed.ts';
import { edit } from './faults/documents.ts';
import { Person } from './faults/person.ts';
import { eventually, until } from './faults/until.ts';
import { Perimeter } from './testing/perimeter.ts';

/*
 * Presence through the whole perimeter, by TLS and mutual TLS: alice and carol are outside, bob is inside. The tests build
 * on one another, in this order.
 */
const NETWORK = 84;
let perimeter: Perimeter;
let alice: Watcher;
let carol: Watcher;
let bob: Watcher;

/** Somebody with a phone, and what is heard on it about another. */
class Watcher extends Person {
  readonly heard: HeardPresence[] = [];
  presence!: PresenceClient;

  static async comes(user: string): Promise<Watcher> {
    const watcher = new Watcher(perimeter, user);
    await watcher.returns();
    return watcher;
  }
  async returns(): Promise<void> {
    await this.connect();
    this.presence = new PresenceClient(this.phone);
  }
  watches(other: Person) {
    return this.presence.watch(other.address, (heard) => this.heard.push(heard));
  }
  /** Waits until the latest word is this one: state, basic status and note. */
  hears(expected: string): Promise<void> {
    return until(
      `${this.user} hears "${expected}", and not "${this.latest}"`,
      () => this.latest === expected,
    );
  }
  get latest(): string {
    const last = this.heard.at(-1);
    const tuple = last?.document?.tuples[0];
    return [last?.state, last?.reason, tuple?.basic, tuple?.show, tuple?.notes[0]?.text]
      .filter((word) => word !== undefined)
      .join(' ');
  }
}

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  edit(perimeter, 'internal', { 'frontEnd.presence': { notifySeconds: 0 } });
  await perimeter.start();
  [alice, carol, bob] = [
    await Watcher.comes('alice'),
    await Watcher.comes('carol'),
    await Watcher.comes('bob'),
  ];
});
after(async () => {
  await Promise.all([alice, carol, bob].map((person) => person?.leave()));
  await perimeter?.stop();
});

/** `sallyport internal presence …` on the running program. */
async function presence(...args: string[]): Promise<string> {
  const { status, out, error } = await sallyport(
    ...['internal', 'presence', ...args, '--socket', perimeter.files.internalSocket],
  );
  assert.equal(status, 0, error);
  return out;
}
const addressOf = (person: Person) => person.address.slice('sip:'.length);

test('outside, alice sees what carol, outside, and bob, inside, show; nothing tells of the inside (port row ext-05)', async () => {
  const received: string[] = [];
  alice.phone.flow.connection.onData = ((before) => (chunk: Buffer) => {
    received.push(chunk.toString());
    before(chunk);
  })(alice.phone.flow.connection.onData);
  await alice.watches(carol);
  await alice.hears('active open');
  await carol.presence.publish({ show: 'dnd', note: { text: 'in a meeting', language: 'en' } });
  await alice.hears('active open dnd in a meeting');
  await carol.presence.publish({ basic: 'closed' });
  await alice.hears('active closed');
  await alice.watches(bob);
  await alice.hears('active open');
  await bob.presence.publish({ show: 'away' });
  await alice.hears('active open away');
  const inside = [
    perimeter.plan.frontEnd.address,
    perimeter.plan.internal.address,
    perimeter.plan.names.edge,
  ];
  const text = received.join('');
  assert.match(text, /NOTIFY sip:/);
  for (const name of inside) assert.ok(!text.includes(name), `${name} was shown outside`);
});

test('a refresh goes through the edge in its dialog, and so does the end', async () => {
  alice.heard.length = 0;
  const watching = await alice.watches(carol);
  await alice.hears('active closed');
  alice.heard.length = 0;
  await watching.renew();
  await alice.hears('active closed');
  await watching.end();
  await alice.hears('terminated timeout closed');
});

test('who asks waits for the word of the user, by phone or by the operator', async () => {
  await presence('default', addressOf(carol), '--colleagues', 'confirm');
  const asked: string[] = [];
  await carol.presence.watchers((watchers) => {
    asked.push(...watchers.filter(({ status }) => status === 'pending').map(({ uri }) => uri));
  });
  bob.heard.length = 0;
  await bob.watches(carol);
  await bob.hears('pending');
  await until('carol is asked', () => asked.includes(bob.address));
  await carol.presence.decide(bob.address, 'allow');
  await bob.hears('active closed');
  const list = await presence('list', addressOf(carol));
  assert.match(list, /confirm for colleagues, confirm for outsiders/);
  assert.match(list, new RegExp(`${addressOf(bob)} +allow +yes`));
  await presence('block', addressOf(carol), addressOf(bob));
  await bob.hears('terminated rejected');
  await presence('block', addressOf(carol), addressOf(bob), '--politely');
  await bob.watches(carol);
  await bob.hears('active closed');
  await presence('allow', addressOf(carol), `sip:${addressOf(bob)}`);
  await presence('ask', addressOf(carol), 'stranger@elsewhere.example');
  assert.match(await presence('list', addressOf(carol)), /stranger@elsewhere\.example +confirm\n/);
  const wrong = await sallyport(
    ...[
      'internal',
      'presence',
      'allow',
      'nobody@lab.test',
      'a@b',
      '--socket',
      perimeter.files.internalSocket,
    ],
  );
  assert.equal(wrong.status, 1);
  assert.match(wrong.error, /SLP-INT-0005/);
});

test('the front end is killed: who watches through the edge is told by the next process, and decisions stay', async () => {
  await presence('default', addressOf(carol), '--colleagues', 'allow');
  alice.heard.length = 0;
  await alice.watches(carol);
  await alice.hears('active closed');
  const frontEnd = async () =>
    (await perimeter.internal.status())?.services.find(({ name }) => name === 'front-end');
  const victim = (await frontEnd())?.pid ?? assert.fail();
  process.kill(victim, 'SIGKILL');
  await until('another process serves', async () => {
    const service = await frontEnd();
    return service?.pid !== undefined && service.pid !== victim && service.health.ok;
  });
  await eventually('carol publishes again', () => carol.presence.publish({ note: { text: 'still here' } }));
  await alice.hears('active open still here');
  assert.match(await presence('list', addressOf(carol)), new RegExp(`${addressOf(bob)} +allow`));
  await eventually('bob comes back', () => bob.returns());
  bob.heard.length = 0;
  await bob.watches(carol);
  await bob.hears('active open still here');
});

test('a phone that vanishes is offline to its watchers once its sign-in is withdrawn', async () => {
  await carol.phone.signOut();
  await alice.hears('active closed');
  await bob.hears('active closed');
});
