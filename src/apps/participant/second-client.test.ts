import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { SystemClock, SystemRandom } from '#kernel';
import { parseTrustAnchors } from '#platform/pki';
import { Participant } from './index.ts';
import { SecondClient } from './testing/second-client/second-client.ts';
import { ToyEdge } from './testing/toy-edge.ts';

/*
 * The documents are enough: a client in Python that was written from them meets one of ours.
 */
const ADDRESS = '127.84.1.1';

let edge: ToyEdge;
let folder: string;
let second: SecondClient;

before(async () => {
  edge = await ToyEdge.start(ADDRESS);
  folder = mkdtempSync(join(tmpdir(), 'second-client-'));
});
after(async () => {
  await second?.stop();
  edge?.stop();
  rmSync(folder, { recursive: true });
});

test('a client written from the documents joins, draws, and sees what ours draws', async () => {
  const authority = join(folder, 'ca.pem');
  await edge.authority.writeCertificate(authority);
  const { place, authority: root, conference, key } = edge;
  second = new SecondClient({
    ...{ link: edge.link, name: 'Grace', signalling: place, authority, local: ADDRESS },
    hosts: { [place.name]: ADDRESS },
  });
  await second.hears(({ event }) => event === 'joined');
  await second.called('cConnectCompleted', 'ContentManager');
  const trust = parseTrustAnchors(root.certificatePem, 'toy');
  assert.ok(trust.ok);
  const ours = await Participant.join({
    ...{ clock: new SystemClock(), random: new SystemRandom(), conference, key, by: 'tls' },
    who: { kind: 'guest', displayName: 'Zoë' },
    ...{ server: place, localAddress: ADDRESS, trust: trust.value, authority: root.certificatePem },
    hosts: new Map([[place.name, ADDRESS]]),
  });
  await second.hears(({ method, values }) => method === 'cUserJoined' && values?.[1] === 'Zoë');
  second.do({ do: 'board', title: 'Sketch' });
  const { values: [content] = [] } = await second.called('cContentCreated');
  await second.called('cConnectCompleted', 'annotationContainer');
  second.do({ do: 'draw', content, number: 7, points: [10, 20, 30, 40] });
  await ours.until('the line of the second client is there', ({ contents }) =>
    contents.some(({ annotations }) => annotations?.all[0]?.points.join() === '10,20,30,40'),
  );
  ours.commands.draw(content as number, { page: 1, kind: 'pen', colour: 1, width: 2, points: [1, 2] });
  const drawn = await second.hears(
    ({ method, values }) => method === 'cAdded' && String(values?.[6]) === '1,2',
  );
  assert.equal(drawn.object, 'annotationContainer');
  second.do({ do: 'leave' });
  assert.equal((await second.hears(({ event }) => event === 'left')).status, 200);
  await ours.leave();
});
