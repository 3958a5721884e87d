import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '#kernel';
import { request } from '../testing/messages.ts';
import { contactOf, signIn } from '../testing/plays.ts';
import { startTeam } from './testing/team.ts';

/** The next hop passes on a request of somebody inside, under a branch of its own. */
function toBob(method: string, path: string, id: string, change: Record<string, string> = {}): Buffer {
  return request(method, contactOf('bob'), {
    Via: [
      `SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bK${id}`,
      'SIP/2.0/TLS 10.45.1.7;branch=z9hG4bKinside',
    ],
    Route: path,
    To: '<sip:bob@example.com>',
    'Call-ID': id,
    ...change,
  });
}

test('a worker ends: who waits for answers of its clients by way of another worker is told at once that they are gone, and once', async (t) => {
  const [one, two] = await startTeam(t);
  const alice = await one.lab.client();
  const toAlice = await signIn(alice, one.fe, 'alice');
  const bob = await two.lab.client();
  const path = await signIn(bob, two.fe, 'bob');

  one.fe.sends(toBob('MESSAGE', path, 'answered'));
  bob.answers(await bob.receivesRequest('MESSAGE'), 200);
  await one.fe.receives(200);
  one.fe.sends(toBob('INVITE', path, 'refused'));
  bob.answers(await bob.receivesRequest('INVITE'), 486);
  await one.fe.receives(486);
  one.fe.sends(toBob('ACK', path, 'refused', { To: '<sip:bob@example.com>;tag=answer' }));
  await bob.receivesRequest('ACK');
  one.fe.sends(toBob('INVITE', path, 'rings'));
  bob.answers(await bob.receivesRequest('INVITE'), 180, { toTag: 'ringing' });
  await one.fe.receives(180);
  one.fe.sends(toBob('INVITE', path, 'given-up'));
  const invite = await bob.receivesRequest('INVITE');
  bob.answers(invite, 180, { toTag: 'given-up' });
  await one.fe.receives(180);
  one.fe.sends(
    toBob('CANCEL', path, 'given-up', { Via: 'SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKgiven-up' }),
  );
  await one.fe.receives(200);
  await bob.receivesRequest('CANCEL');
  one.fe.sends(toBob('BENOTIFY', path, 'unanswered'));
  await bob.receivesRequest('BENOTIFY');
  one.fe.sends(toBob('MESSAGE', path, 'waits'));
  await bob.receivesRequest('MESSAGE');

  await two.lab.service.stop();
  for (const [id, method, tag] of [
    ['rings', 'INVITE', /^ringing$/],
    ['given-up', 'INVITE', /^given-up$/],
    ['waits', 'MESSAGE', /./],
  ] as const) {
    const refused = await one.fe.receives(430);
    assert.deepEqual([refused.callId, refused.cseq.method], [id, method]);
    assert.match(refused.to.tag ?? '', tag);
    assert.deepEqual(
      refused.vias().map(({ branch }) => branch),
      [`z9hG4bK${id}`, 'z9hG4bKinside'],
    );
  }
  // And no more of them.
  one.fe.sends(request('MESSAGE', contactOf('alice'), { Route: toAlice, 'Call-ID': 'on' }));
  alice.answers(await alice.receivesRequest('MESSAGE'), 200);
  assert.equal((await one.fe.receives(200)).callId, 'on');
  const away = one.lab.log.lines.find(({ event }) => event === 'a worker is away');
  assert.equal(away?.unanswered, 3);
});

test('a worker that ends itself says of nobody that they are gone', async (t) => {
  const [one, two] = await startTeam(t);
  const bob = await two.lab.client();
  const path = await signIn(bob, two.fe, 'bob');
  one.fe.sends(toBob('MESSAGE', path, 'waits'));
  await bob.receivesRequest('MESSAGE');
  await one.lab.service.stop();
  await one.fe.isClosed();
  await until(() => /worker 1 away/.test(two.lab.service.health().detail));
  assert.doesNotMatch(one.fe.shown, /^SIP\/2\.0 (430|503)/m);
});
