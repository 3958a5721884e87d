import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SystemClock, SystemRandom } from '#kernel';
import { parseTrustAnchors } from '#platform/pki';
import type { Who } from '#protocols/meeting-session';
import { Participant, sourceOf } from './index.ts';
import { ToyEdge } from './testing/toy-edge.ts';

const ADDRESS = '127.86.1.1';
const guest = (displayName: string): Who => ({ kind: 'guest', displayName });
const alice: Who = { kind: 'user', address: 'sip:alice@toy.test', password: 'secret' };

let edge: ToyEdge;
before(async () => {
  edge = await ToyEdge.start(ADDRESS);
});
after(() => edge?.stop());

function join(who: Who, by: 'tls' | 'webSocket' = 'tls', key = edge.key): Promise<Participant> {
  const { authority, conference, place } = edge;
  const trust = parseTrustAnchors(authority.certificatePem, 'toy');
  assert.ok(trust.ok);
  return Participant.join({
    ...{ clock: new SystemClock(), random: new SystemRandom(), conference, key, who, by },
    ...{ server: place, localAddress: ADDRESS, trust: trust.value, authority: authority.certificatePem },
    hosts: new Map([[place.name, ADDRESS]]),
  });
}

describe('participants', () => {
  test('a guest over TLS and a user over a WebSocket see what the other draws', async () => {
    const [zoe, user] = [await join(guest('Zoë')), await join(alice, 'webSocket')];
    await zoe.until('two are there', ({ users }) => users.length === 2);
    const board = await zoe.commands.create('Board', 'Content.Whiteboard');
    assert.ok(board.ok);
    await user.until('the board is there', ({ contents }) => contents.length === 1);
    user.commands.draw(board.value, { page: 1, kind: 'pen', colour: 1, width: 2, points: [1, 2, 3, 4] });
    await zoe.until('the line is there', ({ contents }) => contents[0]?.annotations?.all.length === 1);
    await Promise.all([zoe.leave(), user.leave()]);
  });

  test('a file goes up and comes down again', async () => {
    const zoe = await join(guest('Zoë'));
    const bytes = Buffer.alloc(200_000, 'a file ');
    assert.equal(await zoe.commands.uploadFile('notes.txt', sourceOf(bytes)), undefined);
    await zoe.until('the file is known', ({ contents }) => contents.some(({ file }) => file !== undefined));
    const hash = zoe.snapshot.contents.find(({ file }) => file !== undefined)?.file?.hash ?? '';
    assert.deepEqual(await zoe.fetch(hash), { status: 200, body: bytes });
    assert.equal((await zoe.fetch('0'.repeat(64))).status, 404);
    await zoe.leave();
  });

  test('comes back when its connection breaks off, and when all do', async () => {
    for (const by of ['tls', 'webSocket'] as const) {
      const zoe = await join(guest('Zoë'), by);
      for (const cut of [() => zoe.breakOff(), () => edge.cut()]) {
        cut();
        await zoe.until('it is off', ({ phase }) => phase === 'dropped');
        await zoe.until('it is back', ({ phase }) => phase === 'live');
      }
      await zoe.leave();
    }
  });

  test('is told that its link or its password is wrong', async () => {
    await assert.rejects(join(guest('Zoë'), 'tls', 'another-key-1234'), /wrong-link/);
    await assert.rejects(join({ ...alice, password: 'wrong' }), /wrong-password/);
  });
});
