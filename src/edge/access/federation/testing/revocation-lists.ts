import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import type { IssuedCertificate } from '#platform/pki';
import type { EdgeDocument } from '#platform/topology';
import type { AccessLab } from '../../testing/lab.ts';

const WEB = '127.0.9.80';
/** What certificates name as the place of the authority's list. */
export const LIST = `http://${WEB}/ca.crl`;

/** Certificates of more than ten days have to say where they are revoked; lists may be fetched from the test's web server. */
export function asksForLists({ policy }: EdgeDocument): void {
  policy.revocation.shortLivedDays = 10;
  policy.revocation.allowedNetworks = [`${WEB}/32`];
}

/** The authority's list on the port of port row ext-02. */
export async function publishLists(t: TestContext, { authority }: Pick<AccessLab, 'authority'>) {
  const revoked: string[] = [];
  const from: string[] = [];
  const server = createServer((request, response) => {
    from.push(request.socket.remoteAddress ?? '');
    void authority.revocationList(revoked).then((list) => response.end(list));
  });
  server.listen(80, WEB);
  await once(server, 'listening');
  t.after(() => server.close());
  const revoke = ({ certificatePem }: Pick<IssuedCertificate, 'certificatePem'>) => {
    revoked.push(new X509Certificate(certificatePem).serialNumber);
  };
  return { from, revoke };
}
