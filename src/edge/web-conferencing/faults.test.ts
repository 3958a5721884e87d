import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SystemRandom, until } from '#kernel';
import { conferencePublicKey, conferenceSigningKey } from '#protocols/tokens';
import { EdgeBench } from './testing/bench.ts';
import { Outside, TestService } from './testing/ends.ts';

/** What the participant was given to come back with. */
function resumeToken({ said }: Outside): string {
  const [joined] = said.all;
  if (joined?.kind !== 'joined') throw new Error(`${joined?.kind}`);
  return joined.resumeToken;
}

test('the link is lost and comes back: participants are told by the end, and resume', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const all = await Promise.all(Array.from({ length: 20 }, () => Outside.join(t, bench, service.token())));
  bench.cutLinks();
  await until(() => all.every(({ closed }) => closed));
  await until(() => service.participants.every(({ closed }) => closed !== undefined));
  assert.equal(bench.service.remaining(), 0);
  await until(() => service.ready === 2);
  const back = await Promise.all(all.map((one) => Outside.join(t, bench, resumeToken(one), 'resume')));
  assert.ok(back.every(({ answer }) => answer === 'joined'));
});

test('the edge process is killed with 200 participants: the next one knows service and keys anew, and all come back', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const all = await Promise.all(Array.from({ length: 200 }, () => Outside.join(t, bench, service.token())));
  await bench.killAndRestart();
  await until(() => all.every(({ closed }) => closed));
  await until(() => service.ready === 2);
  const back = await Promise.all(all.map((one) => Outside.join(t, bench, resumeToken(one), 'resume')));
  assert.ok(back.every(({ answer }) => answer === 'joined'));
  for (const one of back) one.say({ kind: 'ping', cookie: 1 });
  await until(() => service.participants.slice(200).every(({ said }) => said.all.length === 2));
});

test('two edges: a token is good at either, and a participant of one that is lost comes back by the other', async (t) => {
  const [one, two] = [await EdgeBench.start(t), await EdgeBench.start(t)];
  const service = await TestService.start(t, [one, two]);
  await service.linked(one);
  await service.linked(two);
  const outside = await Outside.join(t, one, service.token());
  assert.equal((await Outside.join(t, two, service.token())).answer, 'joined');
  assert.deepEqual(
    service.participants.map(({ edge }) => edge),
    [one.name, two.name],
  );
  await one.service.stop();
  await until(() => outside.closed);
  const back = await Outside.join(t, two, resumeToken(outside), 'resume');
  assert.equal(back.answer, 'joined');
  assert.equal(service.participants.at(-1)?.edge, two.name);
});

test('keys are rolled in mid-meeting: both open while both are told, the old one no longer', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const old = service.key;
  const next = conferenceSigningKey(new SystemRandom().bytes(32));
  const stays = await Outside.join(t, bench, service.token());
  const announce = async (...keys: (typeof old)[]) => {
    service.links.announce({ node: service.name, keys: keys.map((key) => key.publicBytes), state: 'ready' });
    // What comes later by the same link is read later.
    const [inside] = service.participants;
    const before = stays.said.all.length;
    inside?.ping(1);
    await until(() => stays.said.all.length > before);
  };
  await announce(next, old);
  for (const key of [old, next])
    assert.equal((await Outside.join(t, bench, service.token({}, key))).answer, 'joined');
  await announce(next);
  assert.equal((await Outside.join(t, bench, service.token({}, old))).answer, 'token');
  assert.equal((await Outside.join(t, bench, service.token({}, next))).answer, 'joined');
  assert.equal(stays.closed, false);
  assert.ok(conferencePublicKey(next.publicBytes));
});

test('a service that drains takes nobody new; who is in stays, and may come back', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const outside = await Outside.join(t, bench, service.token());
  service.links.announce({ node: service.name, keys: [service.key.publicBytes], state: 'draining' });
  service.participants[0]?.ping(1);
  await until(() => outside.said.all.length === 2);
  const late = await Outside.join(t, bench, service.token());
  assert.deepEqual(late.said.all, [{ kind: 'refused', reason: 'no-service', retrySeconds: 10 }]);
  assert.equal((await Outside.join(t, bench, resumeToken(outside), 'resume')).answer, 'joined');
  assert.equal(outside.closed, false);
});

test('a reload in mid-meeting: certificates and limits change, participants and links stay', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const outside = await Outside.join(t, bench, service.token());
  bench.document.policy.webConferencing.limits.participants = 1;
  const files = bench.document.host.certificates.access;
  await bench.authority.issueTo(files, { name: 'conf.example.test', hosts: ['conf.example.test'] });
  await bench.commit();
  outside.say({ kind: 'ping', cookie: 1 });
  service.participants[0]?.ping(2);
  await until(() => service.participants[0]?.said.all.length === 2 && outside.said.all.length === 2);
  assert.equal(service.ready, 1);
  assert.equal(outside.closed, false);
});

test('an edge that drains is no place for newcomers, sends its participants away, and says when none is left', async (t) => {
  const bench = await EdgeBench.start(t);
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  await until(() => service.links.places().length === 1);
  const outside = await Outside.join(t, bench, service.token());
  await bench.service.drain();
  await until(() => service.links.places().length === 0);
  await until(() => outside.closed);
  assert.equal(bench.service.remaining(), 0);
  await assert.rejects(Outside.dial(t, bench));
  await bench.service.undrain();
  await until(() => service.links.places().length === 1);
  assert.equal((await Outside.join(t, bench, resumeToken(outside), 'resume')).answer, 'joined');
});
