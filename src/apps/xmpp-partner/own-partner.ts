import { once } from 'node:events';
import { createServer } from 'node:net';
import { FailureError, type Result, randomToken } from '#kernel';
import { DnsResolver } from '#platform/dns';
import { loadCredentials, loadTrustAnchors } from '#platform/pki';
import { Metrics, silentLog } from '#platform/telemetry';
import { type EndpointSettings, PartnerTls, XmppEndpoint } from '#platform/xmpp-endpoint';
import { partnerLimits, strangerLimits } from '#protocols/xmpp';
import { type PartnerOptions, SERVER_PORT, type XmppPartner } from './partner.ts';

const SECOND = 1000;
const WAITING = 100;
const STREAMS = 20;

/** A partner of our own making: streams over TLS with SASL EXTERNAL both ways, and nothing else of a server. */
export async function startOwnPartner(options: PartnerOptions): Promise<XmppPartner> {
  const { clock, random, domain, address, peer, nameServer } = options;
  const metrics = new Metrics();
  const resolver = new DnsResolver({
    servers: [nameServer],
    localAddresses: [address],
    clock,
    random,
    metrics,
  });
  const endpoint = new XmppEndpoint(
    {
      clock,
      random,
      log: silentLog(),
      metrics,
      resolver,
      user: {
        handleArrival: ({ stanza, done }) => {
          done();
          options.handleStanza(stanza);
        },
        handleStream: () => {},
        handleNotice: ({ reason, detail = '' }) => options.handleTrouble(`${domain}: ${reason} ${detail}`),
      },
    },
    endpointSettings(options),
  );
  const server = createServer(endpoint.accept).listen(SERVER_PORT, address);
  await once(server, 'listening');
  return {
    title: 'a partner of our own making',
    send: (stanza) =>
      endpoint.send(stanza, { from: domain, to: peer.domain }, (failed) => {
        options.handleFate?.(stanza, failed);
        if (failed !== undefined) options.handleTrouble(`${domain} could not deliver a stanza: ${failed}`);
      }),
    stop: async () => {
      endpoint.close();
      resolver.close();
      server.close();
      await once(server, 'close');
    },
  };
}

function endpointSettings(options: PartnerOptions): EndpointSettings {
  const { clock, random, domain, address, peer } = options;
  const credentials = unwrap(loadCredentials(options.certificate, Date.now()));
  const trust = unwrap(loadTrustAnchors(options.authority));
  const servers = [{ host: peer.host, port: SERVER_PORT, service: undefined }];
  return {
    tls: new PartnerTls(credentials, trust, clock),
    stream: {
      times: {
        establishmentMs: 30 * SECOND,
        stanzaMs: 30 * SECOND,
        keepAliveMs: 300 * SECOND,
        inactivityMs: 600 * SECOND,
      },
      limits: { stranger: strangerLimits, partner: partnerLimits, pairs: 4, unacknowledged: WAITING },
      secret: randomToken(random, 32),
    },
    hosts: (name) => name === domain,
    partner: (name) =>
      name === peer.domain
        ? { name, methods: ['sasl-external'], keepAlive: true, connections: STREAMS, servers }
        : undefined,
    mayDial: (place) => place === peer.address,
    localAddresses: [address],
    port: SERVER_PORT,
    connections: 2 * STREAMS,
    strangers: STREAMS,
    waiting: WAITING,
    window: WAITING,
    outboundBytes: 1 << 20,
    connectMs: 10 * SECOND,
  };
}

function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new FailureError(result.error);
  return result.value;
}
