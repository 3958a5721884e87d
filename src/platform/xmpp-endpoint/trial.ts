import type { Clock } from '#kernel';
import type { Trace } from '#platform/telemetry';
import type { XmlElement } from '#protocols/xml';
import type { DomainPair, OutboundStream } from '#protocols/xmpp';
import { speaksForDomain } from './certificate-identity.ts';
import type { Undelivered } from './partner.ts';
import type { OwnerAction, PartnerStream } from './partner-stream.ts';

export interface TrialOptions {
  readonly pair: DomainPair;
  readonly stanza: XmlElement;
  readonly trace: Trace;
  readonly clock: Clock;
  readonly patienceMs: number;
}

export interface TrialOutcome {
  /** The stanza went out. */
  readonly sent: boolean;
  /** Ends the stream. */
  readonly end: () => void;
}

type Dial = (handle: (action: OwnerAction) => void) => Promise<PartnerStream<OutboundStream> | Undelivered>;

/** Dials, and tells what the certificate says, what was compared, and how each side has proven its domain. */
export async function tryPartner(options: TrialOptions, dial: Dial): Promise<TrialOutcome> {
  const { pair, stanza, trace, clock, patienceMs } = options;
  const { promise, resolve } = Promise.withResolvers<OwnerAction | undefined>();
  const cancel = clock.after(patienceMs, () => resolve(undefined));
  let refused = '';
  const end = trace.begin('answer');
  const stream = await dial((action) => {
    if (action.type === 'refused') refused = action.reason;
    if (action.type === 'authorized' && action.by !== 'bidi') resolve(action);
    if (action.type === 'close') resolve(action);
  });
  if (typeof stream === 'string') {
    cancel();
    end(false, `no stream: ${stream}`);
    return { sent: false, end: () => {} };
  }
  const action = await promise;
  cancel();
  tellCertificate(stream, pair.to, trace);
  const stop = () => {
    if (!stream.ended) stream.run(stream.core.stop('closed'));
  };
  if (action?.type !== 'authorized') {
    const why = action?.type === 'close' ? [refused, action.reason, action.detail] : ['no answer in time'];
    end(false, `the stream was not opened: ${[...new Set(why)].filter(Boolean).join(', ')}`);
    stop();
    return { sent: false, end: stop };
  }
  const { saslRefused, managed } = stream.core;
  const how = action.by === 'dialback' ? 'dialback' : 'SASL EXTERNAL';
  const tried = saslRefused ? ' after SASL EXTERNAL was refused' : '';
  end(
    true,
    `${pair.to} believes ${pair.from} by ${how}${tried}${managed ? '; it acknowledges stanzas' : ''}`,
  );
  stream.send(stanza, clock.now());
  return { sent: true, end: stop };
}

function tellCertificate({ shown }: PartnerStream, domain: string, trace: Trace): void {
  if (shown === undefined) {
    trace.note('certificate', true, 'no TLS: nobody but the DNS says who is there');
    return;
  }
  const { peer, protocol, problem } = shown;
  if (peer === undefined) {
    trace.note('certificate', false, `${protocol}: ${problem ?? 'no certificate'}`);
    return;
  }
  const until = new Date(peer.notAfter).toISOString();
  trace.note('certificate', true, `${protocol}, ${peer.subject}, valid until ${until}`);
  const { xmpp, srv, dns } = peer.names;
  const presented = [...xmpp, ...srv, ...dns].slice(0, 10).join(', ') || 'no name';
  const speaks = speaksForDomain(peer.names, domain);
  trace.note('names', speaks, `${domain} sought in ${presented}: ${speaks ? 'it is there' : 'it is not'}`);
}
