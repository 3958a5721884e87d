import type { TestContext } from 'node:test';
import { SeededRandom, SystemClock } from '#kernel';
import { Metrics, type Trace } from '#platform/telemetry';
import { FixedResolver } from '../../dns/testing/fixed-resolver.ts';
import { OpenSslAuthority } from '../../pki/testing/openssl-authority.ts';
import { Revocation, type RevocationOptions, type RevocationPolicy } from '../index.ts';
import { ListServer } from './list-server.ts';

export const LOCAL = '127.88.0.9';
export const WEB = '127.88.0.80';

const openPolicy: RevocationPolicy = {
  unknown: 'refuse',
  shortLivedDays: 10,
  mayDial: () => true,
  localAddresses: [LOCAL],
  listBytes: 1_000_000,
  fetchMs: 5000,
  keepFresh: true,
  accepted: 1000,
  rejected: 500,
  evicted: 0.2,
};

/** An authority with its list on a web server, and who asks for it. */
export async function scene(
  t: TestContext,
  more: Partial<Omit<RevocationOptions, 'policy'>> & { policy?: Partial<RevocationPolicy> } = {},
) {
  const authority = new OpenSslAuthority(t);
  let list = authority.list();
  const server = await ListServer.start(t, WEB, (_request, response) => response.end(list));
  const resolver = new FixedResolver({ addresses: { 'A crl.test': [WEB] } });
  const revocation = new Revocation({
    resolver,
    ports: [server.port],
    clock: new SystemClock(),
    random: new SeededRandom(1),
    metrics: new Metrics(),
    ...more,
    policy: { ...openPolicy, ...more.policy },
  });
  t.after(() => revocation.close());
  const url = `http://crl.test:${server.port}/ca.crl`;
  const point = [`crlDistributionPoints=URI:${url}`];
  return {
    authority,
    server,
    revocation,
    point,
    publish: (der = authority.list()) => {
      list = der;
    },
    check: async (
      certificate: Parameters<OpenSslAuthority['verified']>[0],
      staple?: Buffer,
      trace?: Trace,
    ) => {
      const result = await revocation.check(authority.verified(certificate), staple, trace);
      return result.ok ? 'ok' : result.error.code;
    },
  };
}
