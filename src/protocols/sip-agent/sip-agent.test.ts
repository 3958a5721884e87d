import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SeededRandom } from '#kernel';
import {
  buildRequest,
  buildResponse,
  checkResponse,
  formatChallenge,
  ha1,
  parseCredentials,
  parseSipMessage,
  type SipMessage,
  SipRequest,
  sipLimits,
} from '#protocols/sip';
import { SipAgent } from './sip-agent.ts';

const INSTANCE = 'urn:uuid:00000000-0000-4000-8000-000000000001';
const CONFERENCE = 'sip:abc@conf.example.com';
const guest = {
  address: 'sip:x7@anonymous.invalid',
  displayName: 'Zoë "the guest"',
  ...{ username: 'abc', password: 'key', realm: 'conf.example.com' },
};

/** An agent and the server that it speaks to, a step at a time. */
class Play {
  readonly byes: (number | undefined)[] = [];
  readonly agent: SipAgent;
  now = 0;
  constructor(transport: 'WSS' | 'TLS' = 'WSS') {
    this.agent = new SipAgent({
      ...{ random: new SeededRandom(7), transport, instance: INSTANCE, onOutput: () => undefined },
      onBye: (cause) => this.byes.push(cause),
    });
  }
  sent(): SipMessage[] {
    return this.agent.takeOutput().map((bytes) => {
      const parsed = parseSipMessage(bytes, sipLimits);
      assert.ok(parsed.ok);
      return parsed.value;
    });
  }
  request(method: string): SipRequest {
    const [message] = this.sent();
    assert.ok(message instanceof SipRequest);
    assert.equal(message.method, method);
    return message;
  }
  async answer(
    request: SipRequest,
    status: number,
    headers: (readonly [string, string])[] = [],
    body = '',
  ): Promise<void> {
    const bytes = buildResponse(request, status, { toTag: 'focus', headers, body: Buffer.from(body) });
    assert.ok(this.agent.handleBytes(bytes, this.now));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const challenges = (['SHA-256', 'MD5'] as const).map((algorithm) => {
  const value = formatChallenge({ realm: guest.realm, nonce: 'n1', algorithm, qop: ['auth'] });
  return ['WWW-Authenticate', value] as const;
});
const contact = [['Contact', '<sip:focus@conf.example.com>;isfocus']] as const;

async function joined(play: Play) {
  const outcome = play.agent.invite(CONFERENCE, guest, [['Accept', 'application/x']], 0);
  await play.answer(play.request('INVITE'), 200, [...contact], '{}');
  assert.ok((await outcome).ok);
  assert.equal(play.request('ACK').to.tag, 'focus');
}

describe('a guest', () => {
  test('is challenged, answers the strongest algorithm, is let in and acknowledges', async () => {
    const play = new Play();
    const outcome = play.agent.invite(CONFERENCE, guest, [['Accept', 'application/x']], 0);
    const first = play.request('INVITE');
    assert.equal(first.from.display, guest.displayName);
    assert.ok(first.header('Contact')?.endsWith(`;+sip.instance="<${INSTANCE}>"`));
    assert.match(first.header('Via') ?? '', /^SIP\/2\.0\/WSS \w+\.invalid;/);
    await play.answer(first, 401, challenges);
    const [ack, second] = play.sent();
    assert.ok(ack instanceof SipRequest && second instanceof SipRequest);
    assert.deepEqual(
      [ack.method, second.method, second.header('Accept')],
      ['ACK', 'INVITE', 'application/x'],
    );
    const credentials = parseCredentials(second.header('Authorization') ?? '');
    assert.ok(credentials.ok);
    assert.equal(credentials.value.algorithm, 'SHA-256');
    const secret = ha1('SHA-256', 'abc', guest.realm, 'key');
    assert.ok(checkResponse(credentials.value, { method: 'INVITE', ha1: secret }));
    assert.deepEqual([second.callId, second.cseq.number], [first.callId, first.cseq.number + 1]);
    await play.answer(second, 180);
    await play.answer(second, 200, [...contact], '{"version":1}');
    const answered = await outcome;
    assert.ok(answered.ok);
    assert.equal(answered.value.body.toString(), '{"version":1}');
    assert.equal(play.request('ACK').uri, 'sip:focus@conf.example.com');
  });

  test('answers no challenge of another realm, and is refused when its answer is', async () => {
    const other = new Play();
    const foreign = formatChallenge({ realm: 'other.example', nonce: 'n', algorithm: 'MD5' });
    const first = other.agent.invite(CONFERENCE, guest, [], 0);
    await other.answer(other.request('INVITE'), 401, [['WWW-Authenticate', foreign]]);
    assert.deepEqual(await first, {
      ok: false,
      error: { kind: 'refused', status: 401, reason: 'Unauthorized' },
    });
    const wrong = new Play();
    const second = wrong.agent.invite(CONFERENCE, guest, [], 0);
    await wrong.answer(wrong.request('INVITE'), 401, challenges);
    const again = wrong.sent()[1];
    assert.ok(again instanceof SipRequest);
    await wrong.answer(again, 403);
    assert.deepEqual(await second, {
      ok: false,
      error: { kind: 'refused', status: 403, reason: 'Forbidden' },
    });
  });

  test('refreshes within the dialog, and leaves', async () => {
    const play = new Play();
    await joined(play);
    const refreshed = play.agent.reinvite([['Accept', 'application/x']], 1);
    const again = play.request('INVITE');
    assert.equal(again.to.tag, 'focus');
    await play.answer(again, 200, [...contact], 'fresh');
    const answered = await refreshed;
    assert.ok(answered.ok);
    assert.equal(answered.value.body.toString(), 'fresh');
    assert.equal(play.request('ACK').cseq.number, again.cseq.number);
    const left = play.agent.bye(2);
    await play.answer(play.request('BYE'), 200);
    await left;
  });

  test('hears that it was sent away, and refuses what is not of its dialog', async () => {
    const play = new Play();
    await joined(play);
    const [invite] = [play.agent.reinvite([], 0), play.request('INVITE')].slice(1) as [SipRequest];
    const bye = (tag: string | undefined, branch: string) =>
      buildRequest({
        method: 'BYE',
        uri: 'sip:x@y.invalid',
        headers: [
          ['Via', `SIP/2.0/TLS edge;branch=z9hG4bK${branch}`],
          ['From', `<${CONFERENCE}>;tag=focus`],
          ['To', `<${guest.address}>;tag=${tag}`],
          ['Call-ID', invite.callId],
          ['CSeq', '9 BYE'],
          ['Reason', 'SIP;cause=603;text="Removed"'],
        ],
      });
    play.agent.handleBytes(bye('wrong', 'a'), 0);
    play.agent.handleBytes(bye(invite.from.tag, 'b'), 0);
    assert.deepEqual(
      play.sent().map((message) => !(message instanceof SipRequest) && message.status),
      [481, 200],
    );
    assert.deepEqual(play.byes, [603]);
  });
});

test('a user signs in, and stays so', async () => {
  const play = new Play('TLS');
  const alice = { address: 'sip:alice@example.com', username: 'alice', password: 'secret' };
  const signedIn = play.agent.register(alice, 0);
  const register = play.request('REGISTER');
  assert.deepEqual([register.uri, register.to.uri], ['sip:example.com', 'sip:alice@example.com']);
  await play.answer(register, 200);
  assert.ok((await signedIn).ok);
  play.agent.handleTime(1);
  assert.deepEqual(play.agent.takeOutput(), []);
  play.agent.handleTime(250_000);
  const [again, ping] = play.agent.takeOutput();
  assert.match(again?.toString() ?? '', /^REGISTER/);
  assert.equal(ping?.toString(), '\r\n\r\n');
});

test('what gets no answer, and what loses its connection, fails', async () => {
  const slow = new Play();
  const first = slow.agent.invite(CONFERENCE, guest, [], 0);
  slow.agent.handleTime(33_000);
  assert.deepEqual(await first, { ok: false, error: { kind: 'timeout' } });
  const lost = new Play();
  const second = lost.agent.invite(CONFERENCE, guest, [], 0);
  lost.agent.handleClosed(1);
  assert.deepEqual(await second, { ok: false, error: { kind: 'transport' } });
});

test('a message that is none ends the connection', () => {
  assert.equal(new Play().agent.handleBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'), 0), false);
  assert.equal(new Play('TLS').agent.handleBytes(Buffer.from('\u0000\u0001'), 0), false);
});
