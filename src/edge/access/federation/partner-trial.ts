import { isIPv6 } from 'node:net';
import { randomToken } from '#kernel';
import { type Connection, dialTls } from '#platform/net';
import { buildRequest } from '#protocols/sip';
import { locate, type Target } from './connections/locate.ts';
import type { Federation } from './federation.ts';
import { identityOf } from './policy/identity.ts';
import type { Partner } from './policy/partner-table.ts';

/** One thing that was tried, what came of it, and how long it took. */
export interface TrialStep {
  readonly step: 'policy' | 'names' | 'connection' | 'certificate' | 'revocation' | 'options';
  readonly ok: boolean;
  readonly detail: string;
  readonly milliseconds: number;
}

const TAG_LENGTH = 16;

/**
 * Whether a domain can be reached, told step by step: the rule that decides about it, the records and addresses, each
 * address dialled, the certificate and the names compared, and the answer to an OPTIONS.
 */
export class PartnerTrial {
  readonly #federation: Federation;
  readonly #domain: string;
  readonly #steps: TrialStep[] = [];
  #since: number;

  constructor(federation: Federation, domain: string) {
    this.#federation = federation;
    this.#domain = domain;
    this.#since = federation.core.clock.now();
  }

  async run(): Promise<{ readonly ok: boolean; readonly steps: readonly TrialStep[] }> {
    const ok = await this.#try();
    return { ok, steps: this.#steps };
  }

  async #try(): Promise<boolean> {
    const partner = this.#federation.scene.partners.partnerFor(this.#domain);
    if (typeof partner === 'string') return this.#note('policy', false, `refused by the rule ${partner}`);
    this.#note(
      'policy',
      true,
      `${partner.kind}${partner.proxy === undefined ? '' : `, by ${partner.proxy}`}`,
    );
    const { localAddresses, mayDial } = this.#federation.scene;
    const families = ([4, 6] as const).filter((family) =>
      localAddresses.some((address) => isIPv6(address) === (family === 6)),
    );
    const located = await locate(partner, this.#federation.names, families, mayDial);
    if (!located.ok) return this.#note('names', false, `${located.error.reason}: ${located.error.detail}`);
    const places = located.value.targets.map(
      ({ host, address, port }) => `${host} at ${address} port ${port}`,
    );
    this.#note('names', true, places.join('; '));
    for (const target of located.value.targets) {
      if (await this.#tryTarget(partner, target, located.value.hosts)) return true;
    }
    return false;
  }

  async #tryTarget(partner: Partner, target: Target, hosts: readonly string[]): Promise<boolean> {
    const { scene, localAddresses, credentials, trust } = this.#federation.scene;
    const localAddress = localAddresses.find((address) => isIPv6(address) === isIPv6(target.address));
    if (localAddress === undefined)
      return this.#note('connection', false, `no address for ${target.address}`);
    let compared = '';
    const result = await dialTls({
      remote: target,
      localAddress,
      servername: target.host,
      credentials,
      trust,
      expectNames: [partner.domain, ...hosts],
      recognise: (names) => {
        const presented = [...names.uri, ...names.dns].join(', ') || 'no name';
        const identity = identityOf(names, partner, hosts);
        compared = `it names ${presented}; ${identity === undefined ? 'none of them is expected' : `${identity.name} (${identity.by}) speaks for ${partner.domain}`}`;
        return identity !== undefined;
      },
      confirm: async (peer, staple) => {
        this.#note('certificate', true, compared);
        const confirmed = await this.#federation.confirm(peer, staple);
        const stapled = staple === undefined ? 'no response was stapled' : 'a response was stapled';
        const verdict = confirmed.ok ? `the certificate stands; ${stapled}` : confirmed.error.message;
        this.#note('revocation', confirmed.ok, verdict);
        return confirmed;
      },
      handshakeMs: scene.settings.limits.handshakeSeconds * 1000,
      clock: this.#federation.core.clock,
      metrics: this.#federation.registry,
    });
    if (!result.ok) {
      if (result.error.code.startsWith('SLP-PKI-')) return false; // told already
      const step = /SLP-NET-001[34]/.test(result.error.code) ? 'certificate' : 'connection';
      return this.#note(step, false, `${result.error.code} ${result.error.message}`);
    }
    return this.#ask(result.value, target);
  }

  /** RFC 3261 §11: whatever is answered, somebody there speaks SIP. */
  async #ask(connection: Connection, target: Target): Promise<boolean> {
    const { core, scene } = this.#federation;
    const flow = core.endpoint.addFlow(connection, { authorised: true, dialled: true });
    if (flow === undefined) return this.#note('options', false, 'no room for another connection');
    const { external } = scene.scene.settings;
    const branch = core.branches.next();
    const bytes = buildRequest({
      method: 'OPTIONS',
      uri: `sip:${target.host}:${target.port};transport=tls`,
      headers: [
        ['Via', `SIP/2.0/TLS ${external.host}:${external.port};branch=${branch}`],
        ['Max-Forwards', '1'],
        ['From', `<sip:${external.host}>;tag=${randomToken(core.endpoint.random, TAG_LENGTH)}`],
        ['To', `<sip:${target.host}>`],
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
          onFailure: (cause) => resolve(`no answer: ${cause}`),
        },
      );
      if (!sent.ok) resolve(`not sent: ${sent.error}`);
    });
    core.endpoint.closeFlow(flow, 'policy');
    return this.#note('options', typeof answer === 'number', String(answer));
  }

  #note(step: TrialStep['step'], ok: boolean, detail: string): boolean {
    const now = this.#federation.core.clock.now();
    const milliseconds = Math.round((now - this.#since) * 10) / 10;
    this.#since = now;
    this.#steps.push({ step, ok, detail: detail.slice(0, 1000), milliseconds });
    return ok;
  }
}
