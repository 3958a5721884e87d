import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageClass } from '#protocols/stun';
import { changed, goodHost } from '../../../platform/host-survey/testing/imagined-host.ts';
import {
  imaginedServer,
  SEEN_ADDRESS,
  sntpAnswer,
  stunAnswer,
} from '../../../platform/host-survey/testing/imagined-server.ts';
import { askOutside } from './outside.ts';

const here = { address: '127.0.0.1', network: '127.0.0.0/8' };
const host = changed({ interfaces: [{ name: 'eth0', loopback: false, addresses: [here] }] });

test('the servers that are named are asked', async (context) => {
  const stun = await imaginedServer(context, (request, from) => [
    stunAnswer(request.subarray(8, 20), MessageClass.Success, from.port),
  ]);
  const time = await imaginedServer(context, (request) => [sntpAnswer(request, Date.now() + 3_600_000)]);
  const { outside, complaints } = await askOutside(host, {
    stun: `127.0.0.1:${stun.port}`,
    timeServer: `127.0.0.1:${time.port}`,
  });
  assert.deepEqual(complaints, []);
  assert.deepEqual(outside.seenAs, { from: '127.0.0.1', address: SEEN_ADDRESS, server: '127.0.0.1' });
  assert.equal(Math.round(outside.clockOffset?.seconds ?? 0), 3600);
});

test('nobody is asked unless named, and what cannot be asked is said', async () => {
  assert.deepEqual(await askOutside(goodHost, { stun: undefined, timeServer: undefined }), {
    outside: {},
    complaints: [],
  });
  const { outside, complaints } = await askOutside(host, {
    stun: '[2001:db8::1]:3478',
    timeServer: '127.0.0.1:0',
  });
  assert.deepEqual(outside, {});
  assert.match(complaints[0] ?? '', /no external address of its family/);
  assert.match(complaints[1] ?? '', /--time-server 127\.0\.0\.1:0: /);
});

test('names are resolved by our own questions; of two addresses the one that this host can ask', async (context) => {
  const stun = await imaginedServer(context, (request, from) => [
    stunAnswer(request.subarray(8, 20), MessageClass.Success, from.port),
  ]);
  const asked: string[] = [];
  const names = {
    addresses(name: string, type: 'A' | 'AAAA') {
      asked.push(`${type} ${name}`);
      const values = type === 'A' ? ['127.0.0.1'] : ['2001:db8::1'];
      const absent = (name.startsWith('six') && type === 'A') || name === 'nobody.example';
      return Promise.resolve(absent ? { state: 'absent' as const } : { state: 'found' as const, values });
    },
  };
  const seen = async (name: string) =>
    askOutside(host, { stun: `${name}:${stun.port}`, timeServer: undefined }, names);
  const { outside } = await seen('stun.example');
  assert.equal(outside.seenAs?.server, '127.0.0.1');
  assert.deepEqual(asked, ['A stun.example', 'AAAA stun.example']);
  assert.match((await seen('six.example')).complaints[0] ?? '', /no external address of its family/);
  assert.match((await seen('nobody.example')).complaints[0] ?? '', /this name has no address here/);
});
