import { isIP } from 'node:net';
import { type ErrorCode, err, type Failure, failure, ok, type Random, type Result } from '#kernel';
import type { Trace } from '#platform/telemetry';
import type { LookUpFailure, LookUpReason, Resolver, ServiceRecord } from '../resolver/index.ts';
import { orderServices } from './order-services.ts';

/** What is sought: the servers that a domain names for a service. */
export interface Sought {
  /** Canonical domain of the partner. */
  readonly domain: string;
  /** Asked in this order, the first that exists counts; e.g. `_sipfederationtls._tcp`, `_sips._tcp`. */
  readonly services: readonly string[];
  /** The port at the domain's own address when it has none of the services (RFC 3263 §4.2); undefined: no such way. */
  readonly fallbackPort?: number;
  /** Targets have to be the domain or a name below it (ms-diagnostics 1009). */
  readonly sameDomain: boolean;
  /** The only port for which there is a way out; undefined: any. Servers on others are not tried. */
  readonly onlyPort?: number;
}

/** One server to try; its addresses are asked for when it is tried. */
export interface Target {
  /** Canonical host name. */
  readonly host: string;
  readonly port: number;
  /** The service whose SRV record names it; undefined: the domain itself. */
  readonly service: string | undefined;
}

/** Why a domain has no servers; closed, for metrics. */
export const locateReasons = [
  /** It has none of the records. */
  'no-service',
  /** It says by an SRV record to the root that it does not offer the service (RFC 2782). */
  'not-offered',
  /** Its SRV records lead to other domains only. */
  'other-domain',
  /** Its SRV records lead to ports that are not open. */
  'other-port',
  /** The DNS gave no answer: nobody knows what the domain offers. */
  'dns',
] as const;

export type LocateReason = (typeof locateReasons)[number];

export interface LocateFailure extends Failure {
  readonly reason: LocateReason;
  /** For 'dns': what the resolver said. */
  readonly lookUp?: LookUpReason;
  /** Seconds for which it is worth no other try. */
  readonly ttl: number;
}

export interface Located {
  /** Not empty, in the order in which they are to be tried. */
  readonly targets: readonly Target[];
  /** Seconds until it is worth asking again. */
  readonly ttl: number;
}

/** More servers of one domain are not tried. */
const MOST_TARGETS = 16;

const codes: { readonly [reason in LocateReason]: ErrorCode } = {
  'no-service': 'SLP-DNS-0021',
  'not-offered': 'SLP-DNS-0022',
  'other-domain': 'SLP-DNS-0023',
  'other-port': 'SLP-DNS-0025',
  dns: 'SLP-DNS-0024',
};

/**
 * Finds the servers of a domain: RFC 3263 §4.2 with TLS as the only transport, so without NAPTR. Only a proven absence
 * leads on to the next way; after a failure nobody knows what the domain offers, and guessing would let whoever
 * suppresses answers choose the server.
 */
export async function locate(
  resolver: Resolver,
  sought: Sought,
  random: Random,
  trace?: Trace,
): Promise<Result<Located, LocateFailure>> {
  let ttl = Number.POSITIVE_INFINITY;
  for (const service of sought.services) {
    const name = `${service}.${sought.domain}`;
    const end = trace?.begin('dns');
    const answer = await resolver.services(name);
    end?.(answer.ok, `SRV ${name}: ${answer.ok ? servicesText(answer.value) : answer.error.reason}`);
    if (answer.ok) {
      const { values } = answer.value;
      return targetsOf(
        sought,
        service,
        orderServices(values, random),
        Math.min(ttl, answer.value.ttl),
        trace,
      );
    }
    if (!isAbsence(answer.error)) return err(dnsFailure(name, answer.error));
    ttl = Math.min(ttl, answer.error.ttl);
  }
  const { domain, fallbackPort } = sought;
  if (fallbackPort === undefined)
    return err(locateFailure('no-service', `${sought.services.join(', ')} of ${domain}`, ttl));
  trace?.note('locate', true, `no service is announced: port ${fallbackPort} at the addresses of ${domain}`);
  return ok({ targets: [{ host: domain, port: fallbackPort, service: undefined }], ttl });
}

/** An address of a target, from one of its two address families. */
export type Addresses = Promise<Result<readonly string[], LookUpFailure>>;

/** Asks for both families at once; an IP address stands for itself. IPv6 first, as RFC 8305 §3 wants it asked. */
export function targetAddresses(resolver: Resolver, host: string, trace?: Trace): Addresses[] {
  if (isIP(host) !== 0) return [Promise.resolve(ok([host]))];
  return ([6, 4] as const).map(async (family) => {
    const end = trace?.begin('dns');
    const answer = await resolver.addresses(host, family);
    const said = answer.ok
      ? `${answer.value.values.join(', ')} (${sourceText(answer.value)})`
      : answer.error.reason;
    // Most hosts have no IPv6 address, or no other: that is how it is, and no fault.
    const usual = !answer.ok && answer.error.reason === 'no-data';
    end?.(answer.ok || usual, `${family === 6 ? 'AAAA' : 'A'} ${host}: ${said}`);
    return answer.ok ? ok(answer.value.values) : answer;
  });
}

function targetsOf(
  { domain, sameDomain, onlyPort }: Sought,
  service: string,
  records: readonly ServiceRecord[],
  ttl: number,
  trace: Trace | undefined,
): Result<Located, LocateFailure> {
  const offered = records.filter(({ target }) => target !== '');
  if (offered.length === 0) return err(locateFailure('not-offered', `${service}.${domain}`, ttl));
  const within = offered.filter(({ target }) => {
    const allowed = !sameDomain || isWithin(target, domain);
    if (!allowed) trace?.note('locate', false, `${target} lies outside ${domain} and is not tried`);
    return allowed;
  });
  const open = within.filter(({ target, port }) => {
    const allowed = port > 0 && (onlyPort === undefined || port === onlyPort);
    const why = onlyPort === undefined ? 'that is no port' : `only ${onlyPort} is open outwards`;
    if (!allowed) trace?.note('locate', false, `port ${port} of ${target} is not tried: ${why}`);
    return allowed;
  });
  if (open.length === 0) {
    const places = (within.length > 0 ? within : offered)
      .slice(0, 4)
      .map(({ target, port }) => `${target}:${port}`);
    const reason = within.length > 0 ? 'other-port' : 'other-domain';
    return err(locateFailure(reason, `${service}.${domain} leads to ${places.join(', ')}`, ttl));
  }
  const targets = open.slice(0, MOST_TARGETS).map(({ target, port }) => ({ host: target, port, service }));
  trace?.note('locate', true, `to try: ${targets.map(({ host, port }) => `${host}:${port}`).join(', ')}`);
  return ok({ targets, ttl });
}

/** Whether a host is the domain or below it; both canonical. */
export function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

function isAbsence({ reason }: LookUpFailure): boolean {
  return reason === 'nxdomain' || reason === 'no-data';
}

function dnsFailure(name: string, cause: LookUpFailure): LocateFailure {
  return { ...locateFailure('dns', `SRV ${name}: ${cause.reason}`, cause.ttl), lookUp: cause.reason };
}

function locateFailure(reason: LocateReason, detail: string, ttl: number): LocateFailure {
  return { ...failure(codes[reason], detail), reason, ttl };
}

function servicesText(found: {
  values: readonly ServiceRecord[];
  server: string;
  transport: string;
}): string {
  const records = found.values
    .slice(0, 8)
    .map(({ priority, weight, port, target }) => `${priority} ${weight} ${port} ${target}.`);
  const more = found.values.length > 8 ? ` and ${found.values.length - 8} more` : '';
  return `${records.join('; ')}${more} (${sourceText(found)})`;
}

function sourceText(found: { server: string; transport: string; cached?: boolean }): string {
  return found.cached === true ? 'cached' : `from ${found.server} over ${found.transport.toUpperCase()}`;
}
