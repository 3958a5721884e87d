import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backlog } from './backlog.ts';
import { hasRoom } from './fair-room.ts';
import { Parties } from './parties.ts';
import { MemoryNetwork, Peer, request } from './testing/memory-network.ts';

const TABLE = 80;

/** An endpoint with a small table, whose user accepts every call; an accepted INVITE stands for 32 s. */
class Stage {
  readonly network = new MemoryNetwork();
  readonly endpoint = this.network.endpoint(
    { onRequest: (_request, _flow, transaction) => this.endpoint.respond(transaction, 200) },
    { limits: { serverTransactions: TABLE } },
  );

  flow(party?: string) {
    const [near, far] = this.network.pair();
    const flow = this.endpoint.addFlow(far, party === undefined ? {} : { party });
    assert(flow !== undefined);
    return { peer: new Peer(near), flow };
  }
  /** How many of so many calls are accepted. */
  calls({ peer }: { peer: Peer }, number: number, withinDialog = false): number {
    for (let call = 0; call < number; call++) {
      const invite = request('INVITE').toString();
      peer.send(
        withinDialog
          ? invite.replace('<sip:bob@example.org>\r\n', '<sip:bob@example.org>;tag=b\r\n')
          : invite,
      );
    }
    this.network.settle();
    return peer.take().filter((status) => status === '200').length;
  }
}

test('a party takes no more of the table than it leaves to others, by however many flows and whether answered or not', () => {
  const stage = new Stage();
  const flood = Array.from({ length: 6 }, () => stage.flow('eve'));
  const taken = flood.map((each) => stage.calls(each, TABLE));
  assert.deepEqual(taken, [35, 0, 0, 0, 0, 0]);
  const modest = stage.flow('alice');
  assert.equal(stage.calls(modest, 10), 10);
  assert.equal(stage.calls(stage.flow('bob'), 10), 10);
  stage.network.clock.advance(32_000);
  assert.equal(stage.calls(flood[1] ?? assert.fail(), 5), 5);
});

test('what belongs to a dialog finds room where what begins does not', () => {
  const stage = new Stage();
  for (let party = 0; party < 69; party++) assert.equal(stage.calls(stage.flow(`party ${party}`), 1), 1);
  const late = stage.flow('late');
  assert.equal(stage.calls(late, 2), 1);
  const later = stage.flow('later');
  assert.equal(stage.calls(later, 1), 0);
  assert.equal(stage.calls(later, 1, true), 1);
  assert.equal(stage.endpoint.transactions.server, 71);
});

test('who is nobody in particular may fill the table', () => {
  const stage = new Stage();
  assert.equal(stage.calls(stage.flow(), TABLE + 1), TABLE);
});

test('a flow that becomes another party’s takes its requests along, and a party without flows is forgotten', () => {
  const stage = new Stage();
  const [one, other] = [stage.flow('address'), stage.flow('address')];
  assert.equal(stage.calls(one, 30), 30);
  one.flow.party = 'alice';
  assert.equal(stage.calls(other, 15), 15);
  one.flow.party = 'address';
  assert.equal(stage.calls(other, 1), 0);
  one.peer.connection.end();
  stage.network.settle();
  assert.equal(one.flow.party, undefined);
  assert.equal(stage.calls(other, 15), 15);
});

test('parties are counted as long as they have flows', () => {
  const parties = new Parties();
  const first = parties.join('a');
  assert.equal(parties.join('a'), first);
  parties.leave(first);
  assert.equal(parties.size, 1);
  parties.leave(first);
  assert.equal(parties.size, 0);
});

test('a room: one that takes all leaves a half, three leave a fourth', () => {
  for (const [parties, left] of [
    [1, 40],
    [3, 20],
  ] as const) {
    const held = Array.from({ length: parties }, () => 0);
    const used = () => held.reduce((sum, each) => sum + each, 0);
    for (let turn = 0; turn < 100; turn++) {
      for (const [index, own] of held.entries()) {
        if (hasRoom({ capacity: 80, used: used() }, own, true)) held[index] = own + 1;
      }
    }
    assert.equal(80 - used(), left);
  }
});

/** A flow of which nothing is written until it drains. */
class Pipe {
  given = 0;
  waiting = 0;
  readonly backlog = new Backlog(this);

  writes(party: string, bytes: number, withinDialog = false): boolean {
    if (!this.backlog.admits({ party, bytes, withinDialog }, 8000)) return false;
    this.given += bytes;
    this.waiting += bytes;
    return true;
  }
  drains(bytes: number): void {
    this.waiting -= Math.min(bytes, this.waiting);
  }
  /** How many of so many messages of 100 bytes are let in. */
  fills(party: string, messages: number): number {
    let admitted = 0;
    for (let each = 0; each < messages; each++) if (this.writes(party, 100)) admitted += 1;
    return admitted;
  }
}

test('who fills what waits to be written leaves room for others, new and within dialogs', () => {
  const pipe = new Pipe();
  const flood = pipe.fills('eve', 1000);
  assert.ok(flood > 35 && flood < 45, String(flood));
  assert.equal(pipe.writes('eve', 100, true), true);
  assert.equal(pipe.fills('alice', 10), 10);
  assert.equal(pipe.writes('eve', 100, true), false);
});

test('a flow that drains slowly goes on serving who writes little, and whose turn is over may write again', () => {
  const pipe = new Pipe();
  pipe.fills('eve', 1000);
  for (let turn = 0; turn < 500; turn++) {
    pipe.drains(300);
    assert.equal(pipe.writes('alice', 100), true);
    const again = pipe.fills('eve', 50);
    assert.ok(again >= 1 && again <= 3, `${again} in turn ${turn}`);
  }
  pipe.drains(pipe.waiting);
  assert.ok(pipe.fills('eve', 1000) > 35);
});
