import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as psom from './index.ts';
import { LIMITS } from './testing/pair.ts';

test('the door has every object of a meeting, and what a service and an edge need to serve them', () => {
  const { meeting, contentManager, content, pptContent, annotationContainer, whiteboard, poll } = psom;
  const named = [meeting, contentManager, content, pptContent, annotationContainer, whiteboard, poll];
  const upload = [psom.uploadManager, psom.uploadStream];
  assert.deepEqual(psom.meetingInterfaces, [...named, ...upload]);
  const join = psom.encodeOperation({ kind: 'join', version: 1, show: 'conference', token: 'x' });
  const [body] = new psom.FrameReader(LIMITS).push(join, 0);
  assert.deepEqual(body && psom.decodeOperation(body), {
    kind: 'join',
    version: 1,
    show: 'conference',
    token: 'x',
  });
  const [client, server] = (['client', 'server'] as const).map(
    (side) => new psom.PsomPeer({ side, root: meeting, interfaces: psom.meetingInterfaces, limits: LIMITS }),
  );
  client!.stub(client!.root, meeting.server).sSetLocked(true);
  const locked: boolean[] = [];
  for (const frame of client!.takeOutput()) {
    for (const event of server!.handleBytes(frame, 0)) {
      assert.equal(event.kind, 'called');
      psom.dispatch<{ sSetLocked: readonly ['Boolean locked'] }>(
        { sSetLocked: (value) => locked.push(value) },
        event,
      );
    }
  }
  assert.deepEqual(locked, [true]);
});
