import { parseSipUri, type SipRequest } from '#protocols/sip';
import { parseSenderRights, SENDER_RIGHTS, type SenderRights } from '#protocols/trust-marking';
import { canonicalAddress, checkProxiable, formsDialog } from '../../policy/common.ts';
import { type Refusal, refuse } from '../../policy/refusal.ts';
import type { AccessSettings } from '../../settings.ts';
import { isRefusedMethod, NOT_FOR } from './from-partner.ts';
import { domainOfHost } from './identity.ts';
import { isPublic, type Partner, type PartnerTable } from './partner-table.ts';
import { isWellDecorated, type ProviderRules, providerRestriction } from './provider-rules.ts';
import { refuseFederation } from './refuse.ts';

export interface PartnerOutward {
  readonly kind: 'send';
  readonly partner: Partner;
  /** Whether the sender may have calls with people at public providers. */
  readonly media: boolean;
  /** The Route entries behind ours, which only the partner's own side can have recorded. */
  readonly routes: readonly string[];
  /** The Request-URI that it leaves with; undefined: as it came. */
  readonly requestUri: string | undefined;
  readonly recordRoute: boolean;
}

export interface OutwardKnowledge {
  readonly partners: PartnerTable;
  readonly providers: ProviderRules;
  /** The partner domain that one of our route tokens names; undefined for one that does not name a partner. */
  openToken(token: string): string | undefined;
}

/**
 * What becomes of a request of the next hop for somebody outside who is no client of ours; undefined when it is not
 * for a partner. It goes to the partner that its Request-URI, or within a dialog our own Route, names, and to nobody
 * else wherever further routes point.
 */
export function decideToPartner(
  request: SipRequest,
  known: OutwardKnowledge,
  settings: AccessSettings,
): Refusal | PartnerOutward | undefined {
  const routes = request.routes();
  // Refused by whoever is asked next.
  if (!routes.ok) return undefined;
  const entries = routes.value.map((route) => route.uri);
  const strict = ownUser(request.uri, settings);
  const inDialog =
    strict?.user ?? (entries[0] === undefined ? undefined : ownUser(entries[0], settings)?.user);
  const domain = inDialog === undefined ? foreignDomain(request, settings) : known.openToken(inDialog);
  if (domain === undefined) return undefined;
  const problem = checkProxiable(request);
  if (problem !== undefined) return problem;
  const rights = rightsOfSender(request, settings);
  if (rights === undefined) return refuseFederation('foreign-sender');
  if (isRefusedMethod(request)) return refuseFederation('partner-method');
  const partner = known.partners.partnerFor(domain);
  if (typeof partner === 'string') return refuseFederation(partner);
  const right = isPublic(partner) ? 'publicProviders' : 'federation';
  // Who loses the right in a call may still end it.
  const ends = request.method === 'BYE' && inDialog !== undefined;
  if (!ends && !rights[right]) return refuseFederation(NOT_FOR[right]);
  const rules = { ...known.providers, media: known.providers.media && rights.publicProviderMedia };
  const restriction = providerProblem(request, partner, inDialog === undefined, rules);
  if (restriction !== undefined) return restriction;
  // RFC 3261 §16.4: a strict router put our URI into the Request-URI and the target behind the routes.
  const target = strict === undefined ? undefined : entries.at(-1);
  const rest = behindOurs(strict === undefined ? entries : entries.slice(0, -1), settings);
  if (inDialog === undefined && rest.length > 0) return refuse(403, 'foreign-route');
  return {
    kind: 'send',
    partner,
    media: rights.publicProviderMedia,
    routes: rest.map((uri) => `<${uri}>`),
    requestUri: target,
    recordRoute: formsDialog(request),
  };
}

/**
 * Where a request of the next hop wants to go, before anything is decided about it: along the way that a token of ours
 * names, or to a domain outside; undefined when neither.
 */
export function destinationOf(
  request: SipRequest,
  settings: AccessSettings,
): { readonly token: string } | { readonly domain: string } | undefined {
  const routes = request.routes();
  if (!routes.ok) return undefined;
  const [first] = routes.value;
  const own =
    ownUser(request.uri, settings) ?? (first === undefined ? undefined : ownUser(first.uri, settings));
  if (own?.user !== undefined) return { token: own.user };
  const domain = foreignDomain(request, settings);
  return domain === undefined ? undefined : { domain };
}

function providerProblem(
  request: SipRequest,
  { provider, domain }: Partner,
  outside: boolean,
  rules: ProviderRules,
): Refusal | undefined {
  if (provider === undefined) return undefined;
  const uri = request.parsedUri();
  // Within a dialog the target is a device, not an address of record.
  const decorated = !outside || !uri.ok || isWellDecorated(uri.value.user, domain, provider);
  if (!decorated) return refuseFederation('provider-address');
  const problem = providerRestriction(request, provider, rules);
  return problem === undefined ? undefined : refuseFederation(problem);
}

/** Where a request without a route of ours wants to go, if that is nobody of ours. */
function foreignDomain(request: SipRequest, settings: AccessSettings): string | undefined {
  const uri = request.parsedUri();
  if (!uri.ok) return undefined;
  const { host, user } = uri.value;
  // An address is no domain: that is a device, which is reached by its flow token or not at all.
  const domain = domainOfHost(host);
  if (user === undefined || domain === undefined || settings.sipDomains.has(domain)) return undefined;
  return settings.externalHosts.has(domain) || settings.internalHosts.has(domain) ? undefined : domain;
}

/**
 * With whom the sender may exchange anything, by the document and by what the next hop says; undefined for nobody of
 * ours: the edge is no way from one stranger to another.
 */
function rightsOfSender(request: SipRequest, settings: AccessSettings): SenderRights | undefined {
  const address = canonicalAddress(request.from.uri);
  const domain = address?.slice(address.lastIndexOf('@') + 1);
  if (address === undefined || domain === undefined || !settings.sipDomains.has(domain)) return undefined;
  const own = settings.externalAccess.rightsOf(address);
  const said = request.header(SENDER_RIGHTS);
  if (said === undefined) return own;
  const { federation, publicProviders, publicProviderMedia } = parseSenderRights(said);
  return {
    federation: own.federation && federation,
    publicProviders: own.publicProviders && publicProviders,
    publicProviderMedia: own.publicProviderMedia && publicProviderMedia,
  };
}

/** Drops our own entries from the top: of a dialog there are two, one for each interface (RFC 5658). */
function behindOurs(entries: readonly string[], settings: AccessSettings): readonly string[] {
  let own = 0;
  while (own < entries.length && ownUser(entries[own] as string, settings) !== undefined) own += 1;
  return entries.slice(own);
}

/** A loose-routing URI at one of our two interfaces, with the user part that it has. */
function ownUser(uri: string, settings: AccessSettings): { user: string | undefined } | undefined {
  const parsed = parseSipUri(uri);
  if (!parsed.ok || !parsed.value.parameters.has('lr')) return undefined;
  const { host, user } = parsed.value;
  return settings.internalHosts.has(host) || host === settings.external.host ? { user } : undefined;
}
