import { domainToASCII } from 'node:url';
import { randomToken } from '#kernel';
import type { Connection } from '#platform/net';
import { canonicalHostName } from '#platform/pki';
import { Trace, type TraceStep } from '#platform/telemetry';
import { buildRequest } from '#protocols/sip';
import { reachPartner } from './connections/reach-partner.ts';
import type { Federation } from './federation.ts';
import type { PartnerRefusal } from './policy/partner-table.ts';

const TAG_LENGTH = 16;

export interface Trial {
  readonly ok: boolean;
  readonly steps: readonly TraceStep[];
}

/** Which setting each rule of refusal is about, and so what there is to change. */
const SETTINGS: Readonly<Record<PartnerRefusal, string>> = {
  'federation-not-allowed': 'policy.federation.enabled is off',
  'federation-off': 'the flag of policy.features that it needs is off, federation or publicProviders',
  'own-domain': 'it stands in policy.sipDomains, and its users are served by the next hop',
  'blocked-domain': 'it stands in policy.federation.blocked',
  'provider-off':
    'its provider is not enabled in policy.publicProviders, or its flag of policy.features is off',
  'unlisted-domain':
    'it stands neither in policy.federation.allowed nor among the domains of policy.publicProviders, and nothing else leads to it (discovery, a default route)',
};

/**
 * Whether a domain can be reached, told step by step: the rule that decides about it, the records and addresses, each
 * address dialled, the certificate, the names compared, whether it is revoked, and the answer to an OPTIONS.
 * @param asked as somebody wrote it: international names and a final dot are understood
 */
export async function tryPartner(federation: Federation, asked: string): Promise<Trial> {
  const trace = new Trace(federation.core.clock);
  const domain = domainOf(asked);
  if (domain === undefined) {
    trace.note('policy', false, `${asked} is no domain: write it alone, as in partner.example`);
    return { ok: false, steps: trace.steps };
  }
  return { ok: await story(federation, domain, trace), steps: trace.steps };
}

/** An IP address is none: what partners are asked by is in their certificates (RFC 5922 §7.1). */
function domainOf(asked: string): string | undefined {
  const name = canonicalHostName(domainToASCII(asked.trim()));
  return name === undefined || /(?:^|\.)\d+$/.test(name) ? undefined : name;
}

async function story(federation: Federation, domain: string, trace: Trace): Promise<boolean> {
  const { reach, scene } = federation;
  const partner = scene.partners.partnerFor(domain);
  if (typeof partner === 'string') {
    trace.note('policy', false, `${domain} is refused by the rule ${partner}: ${SETTINGS[partner]}`);
    return false;
  }
  trace.note('policy', true, `${partner.kind}${partner.proxy === undefined ? '' : `, by ${partner.proxy}`}`);
  const traced: typeof reach = {
    ...reach,
    confirm: async (peer, staple) => {
      const end = trace.begin('revocation');
      const confirmed = await reach.confirm(peer, staple);
      const stapled = staple === undefined ? 'no response was stapled' : 'a response was stapled';
      const verdict = confirmed.ok ? `the certificate stands; ${stapled}` : confirmed.error.message;
      end(confirmed.ok, verdict);
      return confirmed;
    },
  };
  const reached = await reachPartner(traced, partner, new Set(), trace);
  if (reached.ok) return ask(federation, reached.value.value, reached.value.target.host, trace);
  const { reason, detail } = reached.error;
  trace.note('answer', false, `${reason}: ${detail}`);
  return false;
}

/** RFC 3261 §11: whatever is answered, somebody there speaks SIP. */
async function ask(
  { core, scene }: Federation,
  connection: Connection,
  host: string,
  trace: Trace,
): Promise<boolean> {
  const end = trace.begin('answer');
  const flow = core.endpoint.addFlow(connection, { authorised: true, dialled: true });
  if (flow === undefined) {
    end(false, 'no room for another connection');
    return false;
  }
  const { external } = scene.scene.settings;
  const branch = core.branches.next();
  const bytes = buildRequest({
    method: 'OPTIONS',
    uri: `sip:${host}:${connection.remote.port};transport=tls`,
    headers: [
      ['Via', `SIP/2.0/TLS ${external.host}:${external.port};branch=${branch}`],
      ['Max-Forwards', '1'],
      ['From', `<sip:${external.host}>;tag=${randomToken(core.endpoint.random, TAG_LENGTH)}`],
      ['To', `<sip:${host}>`],
      ['Call-ID', randomToken(core.endpoint.random, TAG_LENGTH)],
      ['CSeq', '1 OPTIONS'],
    ],
  });
  const answer = await new Promise<string | number>((resolve) => {
    const sent = core.endpoint.request(
      flow,
      { method: 'OPTIONS', branch, bytes },
      {
        onResponse: ({ status }) => resolve(status),
        onFailure: (cause) => resolve(cause),
      },
    );
    if (!sent.ok) resolve(`not sent: ${sent.error}`);
  });
  core.endpoint.closeFlow(flow, 'policy');
  const said = typeof answer === 'number';
  end(said, said ? `OPTIONS answered with ${answer}` : `OPTIONS not answered: ${answer}`);
  return said;
}
