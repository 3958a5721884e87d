import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SipRequest } from '#protocols/sip';
import { request } from '../testing/messages.ts';
import type { SipPeer } from '../testing/sip-peer.ts';
import { fromAlice, refusedWith } from './testing/partners.ts';
import { from, startProvider } from './testing/providers.ts';
import { SDP, session } from './testing/sessions.ts';

const ALICE = 'sip:alice@example.com';
const DAVE = 'sip:dave@two.example';
const IM = session('message');
const SHARING = session('audio', 'application');
type Fields = Record<string, string>;

async function start(t: TestContext, calls: boolean) {
  const stage = await startProvider(t);
  const { lab, fe, dialled, partner, entry } = stage;
  if (calls) {
    entry.audioVideo = true;
    lab.document.policy.features.publicProviderMedia = true;
    await lab.commit();
  }
  /** alice writes, by way of the edge, to dave. */
  const outward = async (): Promise<Way> => {
    fe.sends(request('MESSAGE', DAVE, fromAlice()));
    const theirs = await partner.connection();
    theirs.answers(await theirs.receivesRequest('MESSAGE'), 200);
    await fe.receives(200);
    const made = (change: Fields) => ({ ...fromAlice(), ...change });
    return { near: fe, far: theirs, to: DAVE, made };
  };
  const made = (change: Fields) => from('two.example', change);
  const inward: Way = { near: dialled, far: fe, to: ALICE, made };
  const rules = () =>
    lab.events.take(1000).flatMap(({ name, fields }) => (name === 'partner-message-refused' ? [fields] : []));
  return { ...stage, inward, outward, rules };
}
interface Way {
  readonly near: SipPeer;
  readonly far: SipPeer;
  readonly to: string;
  readonly made: (change: Fields) => Record<string, string | string[]>;
}

/** The responder's answer with a body. */
function answers({ far }: Way, arrived: SipRequest, status: number, body: string, more: Fields = {}): void {
  const fields = { ...SDP, Contact: '<sip:there@192.0.2.7>', ...more };
  far.answers(arrived, status, { headers: Object.entries(fields), body: Buffer.from(body) });
}
async function begins(way: Way, body: string): Promise<SipRequest> {
  way.near.sends(request('INVITE', way.to, way.made(body === '' ? {} : SDP), body));
  return way.far.receivesRequest('INVITE');
}

for (const direction of ['inward', 'outward'] as const) {
  const ways = async (t: TestContext, calls: boolean) => {
    const stage = await start(t, calls);
    return { ...stage, way: direction === 'inward' ? stage.inward : await stage.outward() };
  };

  test(`${direction}: a request to or from a provider whose body is not known to be a message is refused`, async (t) => {
    const { way, rules } = await ways(t, false);
    const refused = async (method: string, fields: Fields, body: string): Promise<void> => {
      way.near.sends(request(method, way.to, way.made(fields), body));
      refusedWith(await way.near.receives(488), 1027);
    };
    await refused('INVITE', {}, IM);
    await refused('INVITE', { 'Content-Type': 'application/octet-stream' }, IM);
    await refused('INVITE', { ...SDP, 'Content-Encoding': 'gzip' }, IM);
    await refused('INVITE', SDP, session('msrp', 'a=file-selector:name:"x" size:1'));
    await refused('INVITE', SDP, IM.replaceAll('\r\n', '\r'));
    const tagged = { To: `<${way.to}>;tag=there` };
    // Also within a dialog: an offer that changes the session.
    for (const method of ['INVITE', 'UPDATE', 'PRACK']) await refused(method, { ...SDP, ...tagged }, SHARING);
    await refused('MESSAGE', { 'Content-Type': 'text/x-msmsgsinvite' }, 'Application-Name: File Transfer');
    await refused('INFO', { 'Content-Type': 'application/xml', ...tagged }, '<methodCall/>');
    assert.deepEqual(
      rules().map((fields) => `${fields?.rule} ${fields?.direction}`),
      Array.from({ length: 10 }, () => `provider-media ${direction}`),
    );
    way.near.sends(request('MESSAGE', way.to, way.made({ 'Content-Type': 'text/plain' }), 'hello'));
    way.far.answers(await way.far.receivesRequest('MESSAGE'), 200);
    await way.near.receives(200);
  });

  test(`${direction}: an ACK whose answer is something else than messages goes nowhere`, async (t) => {
    const { way, rules } = await ways(t, false);
    // Whom the connection speaks for is known from what came before.
    way.near.sends(request('MESSAGE', way.to, way.made({})));
    way.far.answers(await way.far.receivesRequest('MESSAGE'), 200);
    await way.near.receives(200);
    const To = `<${way.to}>;tag=there`;
    way.near.sends(request('ACK', way.to, way.made({ ...SDP, To, CSeq: '1 ACK' }), SHARING));
    way.near.sends(request('ACK', way.to, way.made({ ...SDP, To, CSeq: '2 ACK' }), IM));
    assert.equal((await way.far.receivesRequest('ACK')).cseq.number, 2);
    assert.deepEqual(
      rules().map((fields) => [fields?.rule, fields?.direction, fields?.method]),
      [['provider-media', direction, 'ACK']],
    );
  });

  test(`${direction}: an offer in a response, or an answer that is none, ends what the INVITE began`, async (t) => {
    const { way, rules } = await ways(t, true);
    const ends = async (status: number, body: string, more?: Fields): Promise<void> => {
      const invite = await begins(way, '');
      answers(way, invite, status, body, more);
      const refusal = await way.near.receives(more === undefined ? 488 : 403);
      refusedWith(refusal, 1027);
      way.near.sends(request('ACK', way.to, { ...ackOf(refusal) }));
      if (status >= 200) {
        // Who took the call is not left in it.
        for (const [method, cseq] of [
          ['ACK', invite.cseq.number],
          ['BYE', invite.cseq.number + 1001],
        ] as const) {
          const ending = await way.far.receivesRequest(method);
          const { uri, callId, from, to, cseq: seen } = ending;
          const contact = (more?.Contact ?? '<sip:there@192.0.2.7>').replace(/^<|>.*$/g, '');
          assert.deepEqual([uri, callId, seen.number], [contact, invite.callId, cseq]);
          assert.deepEqual([from.tag, to.uri], [invite.from.tag, invite.to.uri]);
          assert.ok(to.tag !== undefined);
          if (method === 'BYE') way.far.answers(ending, 200);
        }
        return;
      }
      const cancel = await way.far.receivesRequest('CANCEL');
      way.far.answers(cancel, 200);
      way.far.answers(invite, 487);
      assert.equal((await way.far.receivesRequest('ACK')).callId, invite.callId);
    };
    await ends(200, SHARING);
    await ends(200, session('msrp', 'a=file-selector:name:"x" size:1'));
    await ends(183, SHARING, undefined);
    await ends(200, session('audio'), { Contact: '<sip:room@192.0.2.7>;isfocus' });
    assert.deepEqual(
      rules().map((fields) => [fields?.rule, fields?.answer]),
      [
        ['provider-media', 200],
        ['provider-media', 200],
        ['provider-media', 183],
        ['provider-conference', 200],
      ],
    );
    // What is allowed comes through: an early answer, and the answer.
    const invite = await begins(way, session('audio'));
    answers(way, invite, 183, session('audio'));
    assert.match((await way.near.receives(183)).body.toString(), /m=audio/);
    answers(way, invite, 200, session('audio'));
    assert.match((await way.near.receives(200)).body.toString(), /m=audio/);
  });

  test(`${direction}: what a second device accepts, and may not, is ended when the first one has the call already`, async (t) => {
    const { way } = await ways(t, true);
    const invite = await begins(way, '');
    const accepts = (toTag: string, body: string): void => {
      const headers = Object.entries({ ...SDP, Contact: '<sip:there@192.0.2.7>' });
      way.far.answers(invite, 200, { toTag, headers, body: Buffer.from(body) });
    };
    accepts('first', session('audio'));
    assert.equal((await way.near.receives(200)).to.tag, 'first');
    accepts('second', SHARING);
    for (const method of ['ACK', 'BYE']) {
      const ending = await way.far.receivesRequest(method);
      assert.deepEqual([ending.to.tag, ending.uri], ['second', 'sip:there@192.0.2.7']);
      if (method === 'BYE') way.far.answers(ending, 200);
    }
  });

  test(`${direction}: what else a response holds is taken out of it`, async (t) => {
    const { way } = await ways(t, false);
    const invite = await begins(way, IM);
    answers(way, invite, 488, session('application'), { 'Content-Encoding': 'identity' });
    const refusal = await way.near.receives(488);
    assert.deepEqual([refusal.body.length, refusal.has('Content-Type')], [0, false]);
    assert.equal(refusal.has('Content-Encoding'), false);
    await way.far.receivesRequest('ACK');
    way.near.sends(request('OPTIONS', way.to, way.made({})));
    answers(way, await way.far.receivesRequest('OPTIONS'), 200, SHARING);
    assert.equal((await way.near.receives(200)).body.length, 0);
  });
}

function ackOf(response: {
  header(name: string): string | undefined;
  callId: string;
}): Record<string, string> {
  const copied = ['Via', 'From', 'To'].map((name) => [name, response.header(name) ?? '']);
  return { ...Object.fromEntries(copied), 'Call-ID': response.callId, CSeq: '1 ACK' };
}

test('whom the document calls a conference is one for a provider [setting policy.remoteAccess.guests.conferenceDomains]', async (t) => {
  const { lab, fe, inward, outward } = await start(t, false);
  lab.document.policy.remoteAccess.guests.conferenceDomains = ['rooms.example.com'];
  lab.document.policy.sipDomains = ['example.com', 'rooms.example.com'];
  await lab.commit();
  const refused = async (uri: string): Promise<void> => {
    inward.near.sends(request('INVITE', uri, inward.made(SDP), IM));
    refusedWith(await inward.near.receives(403), 1027);
  };
  await refused('sip:plan@rooms.example.com');
  await refused('sip:alice@example.com;gruu;opaque=app:conf:focus:id:1');
  await refused('sip:alice@example.com;gruu;opaque=%61pp:conf:focus:id:1');
  const way = await outward();
  const From = '<sip:alice@example.com;gruu;opaque=app:conf:focus:id:1>;tag=a';
  way.near.sends(request('INVITE', way.to, way.made({ ...SDP, From }), IM));
  refusedWith(await fe.receives(403), 1027);
});
