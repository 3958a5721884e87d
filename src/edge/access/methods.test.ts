import { test } from 'node:test';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { signIn } from './testing/plays.ts';

/** Everything but INVITE, ACK, CANCEL and REGISTER, which have plays of their own; the last one nobody has heard of. */
const METHODS = [
  'BYE',
  'INFO',
  'MESSAGE',
  'NOTIFY',
  'OPTIONS',
  'PRACK',
  'PUBLISH',
  'REFER',
  'SUBSCRIBE',
  'UPDATE',
  'NOBODYKNOWSTHIS',
] as const;

test('a proxy passes every method, known or not, both answers and refusals (RFC 3261 §16.1)', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  for (const method of METHODS) {
    for (const status of [200, 404]) {
      const via = `SIP/2.0/TLS 192.168.1.5:40001;branch=z9hG4bK${method}${status};rport`;
      client.sends(
        request(method, 'sip:carol@example.com', {
          Via: via,
          'Call-ID': `${method}-${status}`,
          To: '<sip:carol@example.com>;tag=dialog',
          RAck: method === 'PRACK' ? '1 1 INVITE' : undefined,
          Event: method === 'SUBSCRIBE' || method === 'NOTIFY' ? 'presence' : undefined,
        }),
      );
      fe.answers(await fe.receivesRequest(method), status);
      await client.receives(status);
    }
  }
});
