import { connect } from 'node:net';
import { err, type Failure, failure, literalLookup, ok, type Result } from '#kernel';
import type { Sought, Target } from '#platform/dns';
import { reach } from '#platform/partner-dial';
import type { Trace } from '#platform/telemetry';
import type { EndpointContext, EndpointSettings, Partner } from './partner.ts';
import { UpgradableSocket } from './upgradable-socket.ts';

const DIRECT = '_xmpps-server._tcp';
const STARTTLS = '_xmpp-server._tcp';

export interface DialledPartner {
  readonly socket: UpgradableSocket;
  /** TLS comes first (XEP-0368). */
  readonly direct: boolean;
}

/**
 * Connects to a server of a partner: those that its entry names, or those of its SRV records, where TLS from the first byte
 * is tried before STARTTLS (XEP-0368 §3).
 */
export async function dialPartner(
  context: EndpointContext,
  settings: EndpointSettings,
  domain: string,
  partner: Partner,
  trace?: Trace,
): Promise<Result<DialledPartner, Failure>> {
  if (partner.servers !== undefined) return dial(context, settings, { targets: partner.servers }, trace);
  const sought = (services: readonly string[], fallbackPort?: number): Sought => ({
    domain,
    services,
    sameDomain: false, // the certificate or dialback says who it is, and hosts elsewhere are usual (RFC 6120 §3.2.1)
    ...(fallbackPort === undefined ? {} : { fallbackPort }),
  });
  if (partner.methods.some((method) => method !== 'tcp-dialback')) {
    const direct = await dial(context, settings, sought([DIRECT]), trace);
    if (direct.ok) return direct;
  }
  return dial(context, settings, sought([STARTTLS], settings.port), trace);
}

async function dial(
  context: EndpointContext,
  settings: EndpointSettings,
  way: Sought | { readonly targets: readonly Target[] },
  trace: Trace | undefined,
): Promise<Result<DialledPartner, Failure>> {
  const { clock, random, resolver } = context;
  const { tls, mayDial, localAddresses, connectMs } = settings;
  const reached = await reach<UpgradableSocket>({
    way,
    resolver,
    localAddresses,
    mayDial,
    targetMs: connectMs,
    clock,
    random,
    ...(trace === undefined ? {} : { trace }),
    attempt: ({ target, remote, localAddress }, signal) =>
      new Promise((resolve) => {
        if (remote.port !== settings.port) {
          const open = `its port is ${remote.port}, and only ${settings.port} is open`;
          resolve(err(failure('SLP-XMPP-0001', `${target.host}: ${open}`)));
          return;
        }
        const raw = connect({
          host: remote.address,
          port: remote.port,
          localAddress,
          lookup: literalLookup,
          autoSelectFamily: false,
        });
        const fail = (problem: Error) =>
          resolve(err(failure('SLP-NET-0010', `${target.host} at ${remote.address}: ${problem.message}`)));
        const giveUp = () => raw.destroy(new Error('given up'));
        // Only until it is connected: the signal of a race ends for the winner too.
        signal.addEventListener('abort', giveUp, { once: true });
        raw.once('error', fail);
        raw.once('connect', () => {
          signal.removeEventListener('abort', giveUp);
          raw.off('error', fail);
          resolve(ok(new UpgradableSocket(raw, tls)));
        });
      }),
    discard: (socket) => socket.destroy(),
  });
  if (!reached.ok) return reached;
  const { value: socket, target } = reached.value;
  return ok({ socket, direct: target.service === DIRECT });
}
