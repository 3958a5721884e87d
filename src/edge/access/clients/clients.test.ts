import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '#kernel';
import type { SipFlow } from '#platform/sip-endpoint';
import { tokenKey } from '#protocols/tokens';
import { asRequest, asResponse, request, sipText } from '../testing/messages.ts';
import { ClientConnection } from './client-connection.ts';
import { ClientTable, nodeNumber } from './client-table.ts';
import { registrationOf } from './registration.ts';
import { SignIn } from './sign-in.ts';

const limits = { messages: 3, bytes: 1000, seconds: 30 };
const none = { messages: 0, bytes: 0 };
const bound = (seconds: number) => ({ seconds, contacts: [] });

test('before sign-in a connection may do little, and each limit has its reason', () => {
  const signIn = new SignIn(1000);
  assert.equal(signIn.excess({ messages: 3, bytes: 1000 }, limits, 30_999), undefined);
  assert.equal(signIn.excess({ messages: 4, bytes: 0 }, limits, 1000), 'pre-sign-in-messages');
  assert.equal(signIn.excess({ messages: 1, bytes: 1001 }, limits, 1000), 'pre-sign-in-bytes');
  assert.equal(signIn.excess(none, limits, 31_000), 'pre-sign-in-seconds');
});

test('a sign-in lifts them, and is believed for its own address and time', () => {
  const signIn = new SignIn(0);
  assert.ok(!signIn.accepts('alice@example.com', 0));
  signIn.handleAccepted('alice@example.com', bound(60), none, 0);
  assert.ok(signIn.accepts('alice@example.com', 60_000));
  assert.ok(!signIn.accepts('bob@example.com', 0));
  assert.equal(signIn.excess({ messages: 999, bytes: 99_999 }, limits, 50_000), undefined);
  assert.ok(!signIn.accepts('alice@example.com', 92_000));
});

test('when the last address is withdrawn or has run out, the connection is a stranger with a new allowance', () => {
  const signIn = new SignIn(0);
  signIn.handleAccepted('alice@example.com', bound(60), none, 0);
  signIn.handleAccepted('al@example.com', bound(60), none, 0);
  signIn.handleAccepted('alice@example.com', bound(0), { messages: 50, bytes: 5000 }, 1000);
  assert.ok(signIn.signedIn);
  signIn.handleTime({ messages: 100, bytes: 10_000 }, 92_000);
  assert.ok(!signIn.signedIn);
  assert.equal(signIn.excess({ messages: 103, bytes: 11_000 }, limits, 121_999), undefined);
  assert.equal(signIn.excess({ messages: 104, bytes: 10_000 }, limits, 92_000), 'pre-sign-in-messages');
  assert.equal(signIn.excess({ messages: 100, bytes: 10_000 }, limits, 122_000), 'pre-sign-in-seconds');
});

test('whose sign-in has run out uses up the share of its address again', () => {
  const flow = { connection: { remote: { address: '203.0.113.7', port: 40_001 } }, ...none } as SipFlow;
  const client = new ClientConnection(flow, 'token', 0);
  client.signIn.handleAccepted('alice@example.com', bound(60), none, 0);
  client.handleTime(91_999);
  assert.equal(flow.party, 'alice@example.com');
  client.handleTime(92_000);
  assert.equal(flow.party, '203.0.113.7');
});

test('one connection holds a bounded number of addresses', () => {
  const signIn = new SignIn(0);
  for (let i = 0; i < 64; i++) assert.ok(signIn.handleAccepted(`u${i}@example.com`, bound(60), none, 0));
  assert.ok(!signIn.handleAccepted('one-more@example.com', bound(60), none, 0));
});

test('what a 2xx to REGISTER proves', () => {
  const seconds = (asked: Record<string, string>, granted: string[]) =>
    registrationOf(
      asRequest(request('REGISTER', 'sip:example.com', asked)),
      asResponse(
        sipText([
          'SIP/2.0 200 OK',
          'Via: SIP/2.0/TLS 192.168.1.5;branch=z9hG4bK1',
          'From: <sip:alice@example.com>;tag=1',
          'To: <sip:alice@example.com>;tag=2',
          'Call-ID: 1',
          'CSeq: 1 REGISTER',
          ...granted,
        ]),
      ),
    )?.seconds;
  const Contact = '<sip:alice@192.168.1.5>';
  assert.equal(seconds({ Contact }, [`Contact: ${Contact};expires=300`]), 300);
  assert.equal(seconds({ Contact, Expires: '600' }, [`Contact: ${Contact}`]), 600);
  assert.equal(seconds({ Contact }, [`Contact: ${Contact}`]), 3600);
  assert.equal(seconds({ Contact }, [`Contact: ${Contact};expires=999999999`]), 86_400);
  assert.equal(
    seconds({ Contact: `${Contact};expires=0` }, ['Contact: <sip:alice@10.1.1.1>;expires=300']),
    0,
  );
  assert.equal(seconds({ Contact, Expires: '0' }, []), 0);
  assert.equal(seconds({ Contact: '*', Expires: '0' }, []), 0);
  assert.equal(seconds({}, ['Contact: <sip:alice@10.1.1.1>;expires=300']), undefined);
});

test('a token names its worker to the other workers of this edge, and to nobody else', () => {
  const random = new SeededRandom(5);
  const keys = { current: tokenKey(random.bytes(32)) };
  const table = (node: number, worker: number) => new ClientTable({ keys, node, worker, random });
  const flow = {
    id: 7,
    connection: { id: 7, remote: { address: '192.0.2.1', port: 5061 } },
  } as unknown as SipFlow;
  const [first, second, elsewhere] = [table(1, 0), table(1, 1), table(2, 1)];
  const { token } = second.add(flow, 0);
  for (let time = 0; time < 2; time++) assert.equal(first.workerOf(token), 1);
  assert.equal(second.workerOf(token), 1);
  assert.equal(elsewhere.workerOf(token), undefined, 'of another edge');
  assert.equal(first.workerOf('f.whatever'), undefined);
  first.exchange({ current: tokenKey(random.bytes(32)) });
  assert.equal(first.workerOf(token), undefined, 'nobody with the new keys made it');
});

test('a token finds its own connection; a dead one and a forged one are told apart', () => {
  const random = new SeededRandom(3);
  const keys = { current: tokenKey(random.bytes(32)) };
  const table = new ClientTable({ keys, node: nodeNumber('edge1.corp.example'), worker: 0, random });
  const flow = {
    id: 7,
    connection: { id: 7, remote: { address: '192.0.2.1', port: 5061 } },
  } as unknown as SipFlow;
  const client = table.add(flow, 0);
  assert.equal(table.find(client.token), client);
  table.remove(client);
  assert.equal(table.find(client.token), 'dead');
  assert.notEqual(table.add(flow, 0).token, client.token, 'a connection id used again gets another token');
  const stranger = new ClientTable({
    keys: { current: tokenKey(random.bytes(32)) },
    node: 0,
    worker: 0,
    random,
  });
  assert.equal(table.find(stranger.add(flow, 0).token), 'forged');
  assert.equal(table.find('anything'), 'forged');
});
