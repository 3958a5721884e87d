import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import type { Connection } from '#platform/net';
import type { WebSocketAcceptor } from '#platform/web-socket';
import { FrontDoor } from './front-door.ts';

test('a connection that nobody takes, since there are too many, is not offered again', () => {
  let offered = 0;
  const connection = { closed: false, tls: undefined, destroy() {} } as unknown as Connection;
  const sip = () => {
    offered += 1;
    Object.assign(connection, { closed: true });
  };
  const door = new FrontDoor(new ManualClock(), {} as WebSocketAcceptor, { sip, silent: () => {} });
  door.accept(connection, 30);
  connection.onData(Buffer.from('REGISTER sip:example.com SIP/2.0\r\n'));
  assert.equal(offered, 1);
  assert.equal(door.undecided, 0);
});
