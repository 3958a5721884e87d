import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { contactOf, signIn } from './testing/plays.ts';

const SECRET = 'c2FsbHlwb3J0IGlzIGEgZ3VhcmRlZCBkb29yLi4uLi4=';

test('a flow of another edge of the pool is dead here, not forged [setting policy.pool.flowKeyFile]', async (t) => {
  const outcome = async (shared: boolean) => {
    const labs = [];
    for (let i = 0; i < 2; i++) {
      const lab = await AccessLab.start(t, {
        change: ({ policy, host }) => {
          if (!shared) return;
          const file = join(host.certificates.access.certificate, '..', 'flow.secret');
          writeFileSync(file, SECRET);
          policy.pool.flowKeyFile = file;
        },
      });
      labs.push({ lab, fe: await lab.frontEnds[0].connection() });
    }
    const [first, second] = labs;
    assert.ok(first && second);
    const path = await signIn(await first.lab.client(), first.fe, 'alice');
    second.fe.sends(request('MESSAGE', contactOf('alice'), { Route: path }));
    return second.fe;
  };
  await (await outcome(true)).receives(430);
  await (await outcome(false)).receives(403);
});

test('a client of the old way learns how often to keep its connection alive', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const address = '"Alice" <sip:alice@example.com>';
  const contact = `<sip:192.168.1.5:40001;transport=tls;ms-opaque=ab>;proxy=replace;+sip.instance="<urn:uuid:1>"`;
  const credentials =
    'NTLM qop="auth", realm="SIP Communications Service", targetname="fe1", gssapi-data="TlRM", version=4';
  client.sends(
    request('REGISTER', 'sip:example.com', {
      From: `${address};tag=1;epid=01ab23cd45ef`,
      To: address,
      Contact: contact,
      Authorization: credentials,
      'ms-keep-alive': 'UAC;hop-hop=yes',
    }),
  );
  const register = await fe.receivesRequest('REGISTER');
  assert.equal(register.header('Authorization'), credentials, 'schemes that we do not know pass');
  assert.equal(register.header('From'), `${address};tag=1;epid=01ab23cd45ef`);
  assert.equal(register.header('Contact'), contact);
  const gruu = 'sip:alice@example.com;opaque=user:epid:AbCd;gruu';
  fe.answers(register, 200, {
    headers: [
      ['Contact', `<sip:192.168.1.5:40001;transport=tls;ms-opaque=ab>;expires=7200;gruu="${gruu}"`],
      ['ms-keep-alive', 'UAS; tcp=no; hop-hop=yes; end-end=no; timeout=9999'],
    ],
  });
  const accepted = await client.receives(200);
  assert.equal(accepted.header('ms-keep-alive'), 'UAS; tcp=no; hop-hop=yes; end-end=no; timeout=270');
  assert.ok(accepted.header('Contact')?.includes(`gruu="${gruu}"`));
  client.sends('\r\n\r\n');
  await client.receivesPong();
});

test('a client of RFC 5626 is told the shorter time, whatever a registrar says of its own', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => {
      policy.limits.access.keepAliveSeconds = 100;
    },
  });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  for (const [theirs, told] of [
    ['900', '90'],
    ['30', '30'],
    ['soon', '90'],
  ] as const) {
    client.sends(
      request('REGISTER', 'sip:example.com', {
        Via: `SIP/2.0/TLS h;branch=z9hG4bKtimer${theirs}`,
        To: '<sip:alice@example.com>',
        Contact: `<${contactOf('alice')}>;reg-id=1;+sip.instance="<urn:uuid:1>"`,
        Supported: 'path, outbound',
      }),
    );
    const headers = [
      ['Contact', `<${contactOf('alice')}>;expires=300`] as const,
      ['Flow-Timer', theirs] as const,
    ];
    fe.answers(await fe.receivesRequest('REGISTER'), 200, { headers });
    assert.equal((await client.receives(200)).header('Flow-Timer'), told);
  }
});

test('requests inside a dialog may have a Via without branch, in the small letters of old clients', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  for (const [index, Via] of ['SIP/2.0/tls 192.168.1.5:40001', 'SIP/2.0/tls 192.168.1.5:40001'].entries()) {
    const To = '<sip:carol@example.com>;tag=c1';
    client.sends(request('INFO', 'sip:carol@example.com', { Via, To, CSeq: `${index + 2} INFO` }));
    fe.answers(await fe.receivesRequest('INFO'), 200);
    const answer = await client.receives(200);
    assert.equal(answer.topVia.parameters.has('branch'), false);
    assert.equal(answer.header('CSeq'), `${index + 2} INFO`);
  }
});
