import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TestDialog } from './testing/dialog.ts';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { contactOf, dialogResponse, INSIDE, signIn } from './testing/plays.ts';
import type { SipPeer } from './testing/sip-peer.ts';

/*
 * The keys behind flow tokens and sealed values change while edges run: the next one is known on every edge of the pool
 * before the first of them uses it, and whatever was made by the one before goes on.
 */

/** Files of a pool's secrets, by name. */
type Keys = Readonly<Record<'old' | 'next', string>>;

async function pool(t: TestContext) {
  const first = await AccessLab.start(t);
  const keys: Keys = { old: join(first.folder, 'old.secret'), next: join(first.folder, 'next.secret') };
  for (const [name, file] of Object.entries(keys)) writeFileSync(file, `${name.padEnd(44, '=')}\n`);
  const fe = [await first.frontEnds[0].connection()];
  const second = await AccessLab.start(t, { beside: first });
  fe.push(await first.frontEnds[0].connection());
  const [one, other] = fe;
  assert.ok(one && other);
  const edges = [
    { lab: first, fe: one },
    { lab: second, fe: other },
  ] as const;
  for (const { lab } of edges) await use(lab, keys.old);
  return { edges, keys };
}

interface Edge {
  readonly lab: AccessLab;
  readonly fe: SipPeer;
}

/** The document of a running edge names other secrets. */
async function use(lab: AccessLab, current: string, ...others: string[]): Promise<void> {
  lab.document.policy.pool.flowKeyFile = current;
  lab.document.policy.pool.previousFlowKeyFiles = others;
  await lab.commit();
}

const BOB = '<sip:bob@10.45.32.99:5061;transport=tls>';
let branches = 0;

/** A call from inside, whose Call-ID names a host of the inside and is hidden from the client. */
class CallFromInside {
  readonly #user: string;
  readonly #fe: SipPeer;
  readonly #client: SipPeer;
  readonly #route: string;
  readonly shown: string;
  #cseq = 1;
  private constructor(user: string, fe: SipPeer, client: SipPeer, route: string, shown: string) {
    this.#user = user;
    this.#fe = fe;
    this.#client = client;
    this.#route = route;
    this.shown = shown;
  }
  static async begin(user: string, fe: SipPeer, client: SipPeer, path: string): Promise<CallFromInside> {
    fe.sends(CallFromInside.#request(user, 'INVITE', 1, path, ''));
    const invite = await client.receivesRequest('INVITE');
    assert.match(invite.callId, /^~/);
    const fields = {
      Contact: `<${contactOf(user)}>`,
      'Record-Route': invite.values('Record-Route').join(', '),
    };
    client.sends(dialogResponse(invite, 200, { tag: user, ...fields }));
    const answer = await fe.receives(200);
    assert.equal(answer.callId, `${user}@10.45.1.2`);
    const route = answer.values('Record-Route').reverse().join(', ');
    const call = new CallFromInside(user, fe, client, route, invite.callId);
    fe.sends(CallFromInside.#request(user, 'ACK', 1, route, `;tag=${user}`));
    await client.receivesRequest('ACK');
    return call;
  }
  /** The client knows the dialog by the Call-ID that it was shown when it began. */
  async insideAsks(method: string): Promise<void> {
    this.#cseq += 1;
    this.#fe.sends(
      CallFromInside.#request(this.#user, method, this.#cseq, this.#route, `;tag=${this.#user}`),
    );
    const arrived = await this.#client.receivesRequest(method);
    assert.equal(arrived.callId, this.shown);
    this.#client.answers(arrived, 200);
    assert.equal((await this.#fe.receives(200)).callId, `${this.#user}@10.45.1.2`);
  }
  static #request(user: string, method: string, cseq: number, Route: string, tag: string): Buffer {
    branches += 1;
    return request(method, contactOf(user), {
      Via: `SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKinside${branches}`,
      From: '<sip:bob@example.com>;tag=bob',
      To: `<sip:${user}@example.com>${tag}`,
      'Call-ID': `${user}@10.45.1.2`,
      CSeq: `${cseq} ${method}`,
      Contact: BOB,
      Route,
    });
  }
}

/** A client that is signed in, with a dialog that it began and one that the inside began. */
async function people(lab: AccessLab, fe: SipPeer, user: string) {
  const client = await lab.client();
  const path = await signIn(client, fe, user);
  TestDialog.begins(client, user, 'INVITE', `call-of-${user}`);
  const invite = await fe.receivesRequest('INVITE');
  fe.sends(TestDialog.answer(invite, 200));
  const answer = await client.receives(200);
  const own = new TestDialog([client, fe], user, invite, answer, 'bob');
  await own.outsideSends('ACK', { CSeq: '1 ACK' });
  const at = (edge: Edge, by: SipPeer) => new TestDialog([by, edge.fe], user, invite, answer, 'bob');
  return { user, client, fe, path, own, at, called: await CallFromInside.begin(user, fe, client, path) };
}

/** Whatever was begun before goes on, in both directions. */
async function goesOn({ user, client, fe, path, own, called }: Awaited<ReturnType<typeof people>>) {
  await own.outsideAsks('INFO');
  await own.insideAsks('INFO');
  await called.insideAsks('INFO');
  branches += 1;
  const Via = `SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKmessage${branches}`;
  fe.sends(request('MESSAGE', contactOf(user), { Via, Route: path }));
  client.answers(await client.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
}

/** What an edge answers to its next hop about the path of a client of another edge, as if it were one of its own. */
async function verdict({ lab, fe }: Edge, path: string, status: number): Promise<void> {
  branches += 1;
  const Via = `SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKpath${branches}`;
  fe.sends(
    request('MESSAGE', contactOf('somebody'), {
      Via,
      Route: path.replace(/edge\d\.corp\.example/, lab.document.host.name),
    }),
  );
  await fe.receives(status);
}

test('keys are rolled on the edges of a pool, one after the other: registrations and dialogs go on, and each edge knows what the other made [setting policy.pool.previousFlowKeyFiles]', async (t) => {
  const { edges, keys } = await pool(t);
  const [first, second] = edges;
  const alice = await people(first.lab, first.fe, 'alice');
  const carol = await people(second.lab, second.fe, 'carol');
  const all = async () => {
    for (const each of [alice, carol]) await goesOn(each);
  };
  // Known everywhere.
  for (const { lab } of edges) {
    await use(lab, keys.old, keys.next);
    await all();
  }
  // Used by one already, and by the other not yet.
  await use(first.lab, keys.next, keys.old);
  await all();
  const dave = await people(first.lab, first.fe, 'dave');
  assert.notEqual(dave.path, alice.path);
  await verdict(second, dave.path, 430);
  await verdict(first, carol.path, 430);
  // She comes by the other edge now, and her call goes on: what was sealed by the key that this edge only knows, it opens.
  const moved = await second.lab.client();
  await signIn(moved, second.fe, 'dave');
  await dave.at(second, moved).outsideAsks('INFO', { CSeq: '90 INFO' });
  await use(second.lab, keys.next, keys.old);
  await all();
  await goesOn(dave);
  await verdict(second, alice.path, 430);
  for (const { client } of [alice, carol, dave]) assert.doesNotMatch(client.shown, INSIDE);
  // A key that is listed no more opens nothing that another edge made by it.
  await use(second.lab, keys.next);
  await verdict(second, alice.path, 403);
  await verdict(second, dave.path, 430);
});

test('an edge that gets a key of the pool still knows what it made by its own', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const alice = await people(lab, fe, 'alice');
  const file = join(lab.folder, 'flow.secret');
  writeFileSync(file, `${'k'.repeat(44)}\n`);
  await use(lab, file);
  await goesOn(alice);
});
