import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ChildProgram } from '../../../apps/lab/testing/child-program.ts';
import { OpenSslAuthority } from '../../../platform/pki/testing/openssl-authority.ts';
import { request } from '../testing/messages.ts';
import { fromAlice, startFederation } from './testing/partners.ts';

/** openssl as the edge of a partner, with or without a stapled response about its certificate, once it listens. */
async function opensslServer(
  t: TestContext,
  { openssl: { folder } }: OpenSslAuthority,
  name: string,
  address: string,
  staple: readonly string[],
): Promise<ChildProgram> {
  const server = new ChildProgram({
    program: 'openssl',
    debianPackage: 'openssl',
    parameters: ['s_server', '-accept', `${address}:5061`, '-cert', `${name}.pem`, '-key', `${name}.key`, ...staple], // biome-ignore format: one command
    folder,
  });
  t.after(() => server.stop());
  await server.printed(/^ACCEPT$/m);
  return server;
}

test("[S10] a certificate that names no list passes by openssl's stapled response, not without one, and not when that says revoked", async (t) => {
  const authority = new OpenSslAuthority(t);
  const { lab, names, fe } = await startFederation(t, ({ host, policy }) => {
    const both = join(authority.openssl.folder, 'both.pem');
    appendFileSync(both, readFileSync(String(host.internalCa), 'utf8'));
    appendFileSync(both, authority.openssl.text('ca.pem'));
    host.partnerCa = both;
    policy.revocation.shortLivedDays = 10;
    policy.federation.allowed = ['good', 'bare', 'bad'].map((name) => ({
      domain: `${name}.example`,
      proxy: `${name}.test`,
      verification: 'use-source' as const,
    }));
  });
  const servers: Record<string, ChildProgram> = {};
  for (const [index, name] of ['good', 'bare', 'bad'].entries()) {
    const address = `127.0.9.${41 + index}`;
    names.hosts.set(`${name}.test`, [address]);
    authority.issue(name);
    if (name === 'bad') authority.revoke(name);
    if (name !== 'bare') authority.ocspResponse(name);
    const staple = name === 'bare' ? [] : ['-status_file', `${name}.ocsp`];
    servers[name] = await opensslServer(t, authority, name, address, staple);
  }
  const asks = (name: string) => {
    const To = `<sip:bob@${name}.example>`;
    fe.sends(request('MESSAGE', `sip:bob@${name}.example`, fromAlice({ To })));
  };
  const { good, bare, bad } = servers;
  assert.ok(good && bare && bad);
  asks('good');
  await good.printed(/^MESSAGE sip:bob@good\.example/m);
  for (const [name, server] of [
    ['bare', bare],
    ['bad', bad],
  ] as const) {
    asks(name);
    const refusal = await fe.receives(504);
    assert.match(refusal.header('ms-diagnostics-public') ?? '', /^1010;/);
    assert.doesNotMatch(server.output, /MESSAGE/, 'it was shown nothing');
  }
  const told = lab.events.take(1000).filter(({ name }) => name === 'partner-not-reached');
  const details = told.map(({ fields }) => String(fields.detail));
  assert.match(details[0] ?? '', /names no place to ask/);
  assert.match(details[1] ?? '', /revoked by the stapled response/);
});
