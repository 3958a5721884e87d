import { isIP } from 'node:net';
import { type Clock, err, type Failure, failure, ok, type Random, type Result } from '#kernel';
import {
  type Addresses,
  type LocateFailure,
  locate,
  placeText,
  type Resolver,
  type Sought,
  type Target,
  targetAddresses,
} from '#platform/dns';
import { type Endpoint, type RaceLimits, race } from '#platform/net';
import type { Trace } from '#platform/telemetry';

/** One try at one address: connects from the local address given and ends soon after the signal. */
export type ReachAttempt<Value> = (
  to: { readonly target: Target; readonly remote: Endpoint; readonly localAddress: string },
  signal: AbortSignal,
) => Promise<Result<Value>>;

export interface ReachOptions<Value> {
  /** Who is sought by way of the DNS, or the servers that the document names. */
  readonly way: Sought | { readonly targets: readonly Target[] };
  readonly resolver: Resolver;
  /** At most one of each family; addresses of a family without one are not tried. */
  readonly localAddresses: readonly string[];
  /** Whether an address may be dialled; asked of every one, wherever it came from. */
  readonly mayDial: (address: string) => boolean;
  readonly attempt: ReachAttempt<Value>;
  readonly discard: (value: Value) => void;
  /** Hosts that are not tried, for they failed already. */
  readonly avoid?: ReadonlySet<string>;
  /** For each target, its addresses and attempts together. Milliseconds. */
  readonly targetMs: number;
  readonly race?: RaceLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly trace?: Trace;
  readonly signal?: AbortSignal;
}

export interface Reached<Value> {
  readonly value: Value;
  readonly target: Target;
  /** Hosts that came before it, and could not be reached. */
  readonly missed: readonly string[];
}

/**
 * Reaches a partner: finds its servers, and tries them one after the other, the addresses of each side by side.
 * Never rejects. The failure is that of a server with a wrong certificate
 * if there was one, else of the last target, or of the location.
 */
export async function reach<Value>(
  options: ReachOptions<Value>,
): Promise<Result<Reached<Value>, Failure | LocateFailure>> {
  const { way, resolver, random, trace, signal } = options;
  const located = 'targets' in way ? ok(way) : await locate(resolver, way, random, trace);
  if (!located.ok) {
    trace?.note('locate', false, located.error.message);
    return located;
  }
  let gravest: Failure = failure('SLP-NET-0015');
  const missed: string[] = [];
  for (const target of located.value.targets) {
    if (options.avoid?.has(target.host) === true) continue;
    if (signal?.aborted === true) return err(failure('SLP-NET-0015', target.host));
    const reached = await reachTarget(options, target);
    if (reached.ok) return ok({ value: reached.value, target, missed });
    missed.push(target.host);
    if (!isCertificateFailure(gravest)) gravest = reached.error;
  }
  return err(gravest);
}

/** The certificate does not verify, names somebody else, is revoked, or nobody can tell whether it is. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'SLP-NET-0013',
  'SLP-NET-0014',
  'SLP-PKI-0001',
  'SLP-PKI-0002',
  'SLP-PKI-0003',
]);

/** Whether somebody answered who is not the partner, rather than nobody. */
export function isCertificateFailure({ code }: Failure): boolean {
  return CERTIFICATE_CODES.has(code);
}

async function reachTarget<Value>(options: ReachOptions<Value>, target: Target): Promise<Result<Value>> {
  const { resolver, attempt, discard, clock, trace, targetMs, signal } = options;
  const over = new AbortController();
  const cancel = clock.after(targetMs, () => over.abort());
  const answers = targetAddresses(resolver, target.host, trace);
  const refused: string[] = [];
  const outcome = await race<Value>({
    sources: answers.map((answer) => endpointsOf(options, target, answer, refused)),
    attempt: (remote, aborted) => traced(options, target, remote, attempt, aborted),
    discard,
    ...(options.race === undefined ? {} : { limits: options.race }),
    clock,
    signal: signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]),
  });
  cancel();
  if (outcome.ok) return outcome;
  const timedOut = over.signal.aborted ? failure('SLP-NET-0011', `${target.host}:${target.port}`) : undefined;
  const worst = outcome.error.failures.at(-1) ?? timedOut;
  return err(worst ?? (await noAddress(target, answers, refused)));
}

async function endpointsOf<Value>(
  { localAddresses, mayDial, trace }: ReachOptions<Value>,
  target: Target,
  answer: Addresses,
  refused: string[],
): Promise<Endpoint[]> {
  const found = await answer;
  if (!found.ok) return [];
  return found.value.flatMap((address) => {
    if (localFor(localAddresses, address) === undefined) return [];
    if (mayDial(address)) return [{ address, port: target.port }];
    refused.push(address);
    trace?.note('policy', false, `${address} may not be dialled: it is no public address`);
    return [];
  });
}

async function traced<Value>(
  { localAddresses, trace }: ReachOptions<Value>,
  target: Target,
  remote: Endpoint,
  attempt: ReachAttempt<Value>,
  aborted: AbortSignal,
): Promise<Result<Value>> {
  const localAddress = localFor(localAddresses, remote.address) ?? '';
  const end = trace?.begin('connect');
  const result = await attempt({ target, remote, localAddress }, aborted);
  const said = result.ok ? 'connected' : result.error.message;
  end?.(result.ok, `${target.host} at ${placeText(remote)} from ${localAddress}: ${said}`);
  return result;
}

/** Why there was nothing to dial; a failure of the DNS weighs more than an absence. */
async function noAddress(
  { host }: Target,
  answers: readonly Addresses[],
  refused: readonly string[],
): Promise<Failure> {
  if (refused.length > 0) return failure('SLP-NET-0031', `${host}: ${refused.slice(0, 4).join(', ')}`);
  const said = await Promise.all(answers);
  if (said.some(({ ok: known }) => known)) return failure('SLP-NET-0030', host);
  const failures = said.flatMap((answer) => (answer.ok ? [] : [answer.error]));
  const grave = failures.find(({ reason }) => reason !== 'nxdomain' && reason !== 'no-data');
  return grave ?? failures[0] ?? failure('SLP-NET-0030', host);
}

function localFor(localAddresses: readonly string[], remote: string): string | undefined {
  return localAddresses.find((address) => isIP(address) === isIP(remote));
}
