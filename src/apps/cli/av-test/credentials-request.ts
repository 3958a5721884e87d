import { err, type Failure, failure, ok, type Result, randomToken, SystemClock, SystemRandom } from '#kernel';
import { type Connection, dialTls } from '#platform/net';
import { type Credentials, loadCredentials, loadTrustAnchors, type TrustAnchors } from '#platform/pki';
import { Metrics } from '#platform/telemetry';
import type { InternalDocument } from '#platform/topology';
import {
  formatMrasRequest,
  MRAS_CONTENT_TYPE,
  type MrasLocation,
  type MrasResponse,
  parseMrasResponse,
} from '#protocols/credentials';
import { buildRequest, type SipResponse, SipStreamFramer, sipLimits } from '#protocols/sip';

const PATIENCE_MS = 10_000;

export interface CredentialsWish {
  /** `user@domain` */
  readonly user: string;
  readonly minutes: number;
  readonly location: MrasLocation;
}

export interface GivenCredentials {
  readonly response: MrasResponse;
  /** By how much the edge's clock is ahead of ours, milliseconds, when it said its time. */
  readonly clockAhead: number | undefined;
}

/** Asks the A/V Authentication service of the first edge that answers, as the front end does (port row int-05). */
export async function requestCredentials(
  document: InternalDocument,
  wish: CredentialsWish,
): Promise<Result<GivenCredentials>> {
  const clock = new SystemClock();
  const credentials = loadCredentials(document.host.certificates.internal, clock.wall());
  if (!credentials.ok) return credentials;
  const trust = loadTrustAnchors(document.host.internalCa);
  if (!trust.ok) return trust;
  let problem: Failure = failure('SLP-AV-0405', 'the document names no edge');
  for (const edge of document.frontEnd.edges) {
    const answer = await askEdge(document, edge, wish, {
      credentials: credentials.value,
      trust: trust.value,
      clock,
    });
    if (answer.ok) return answer;
    problem = answer.error;
  }
  return err(problem);
}

interface Means {
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  readonly clock: SystemClock;
}

async function askEdge(
  { host }: InternalDocument,
  edge: InternalDocument['frontEnd']['edges'][number],
  wish: CredentialsWish,
  { clock, ...identity }: Means,
): Promise<Result<GivenCredentials>> {
  const isSix = edge.address.includes(':');
  const localAddress = host.addresses.internal.find((address) => address.includes(':') === isSix);
  if (localAddress === undefined)
    return err(failure('SLP-AV-0405', `no own address reaches ${edge.address}`));
  const dialled = await dialTls({
    remote: { address: edge.address, port: edge.avAuthenticationPort },
    localAddress,
    servername: edge.name,
    ...identity,
    expectNames: [edge.name],
    handshakeMs: PATIENCE_MS,
    clock,
    metrics: new Metrics(),
  });
  if (!dialled.ok) return dialled;
  try {
    const answer = await exchange(dialled.value, requestFor(host.name, edge.name, wish), clock);
    if (answer === undefined) return err(failure('SLP-AV-0405', `${edge.name} did not answer`));
    return read(answer, edge.name, clock.wall());
  } finally {
    dialled.value.destroy('local');
  }
}

function requestFor(host: string, edge: string, { user, minutes, location }: CredentialsWish): Uint8Array {
  const random = new SystemRandom();
  const to = `sip:${edge}`;
  const from = `sip:${user}`;
  const body = formatMrasRequest({
    requestId: randomToken(random, 10),
    version: '1.0',
    to,
    from,
    route: 'loadbalanced',
    credentials: [{ id: '1', identity: from, location, duration: minutes }],
  });
  return buildRequest({
    method: 'SERVICE',
    uri: to,
    headers: [
      ['Via', `SIP/2.0/TLS ${host};branch=z9hG4bK${randomToken(random, 16)}`],
      ['Max-Forwards', '70'],
      ['From', `<${from}>;tag=${randomToken(random, 10)}`],
      ['To', `<${to}>`],
      ['Call-ID', randomToken(random, 20)],
      ['CSeq', '1 SERVICE'],
      ['Content-Type', MRAS_CONTENT_TYPE],
    ],
    body,
  });
}

function exchange(
  connection: Connection,
  request: Uint8Array,
  clock: SystemClock,
): Promise<SipResponse | undefined> {
  return new Promise((resolve) => {
    const cancel = clock.after(PATIENCE_MS, () => finish(undefined));
    const finish = (response: SipResponse | undefined) => {
      cancel();
      resolve(response);
    };
    const framer = new SipStreamFramer(sipLimits);
    connection.onClose = () => finish(undefined);
    connection.onData = (chunk) => {
      for (const event of framer.push(chunk, clock.now())) {
        if (event.type === 'message' && event.message.kind === 'response') finish(event.message);
      }
    };
    connection.write(request);
  });
}

function read(answer: SipResponse, edge: string, wall: number): Result<GivenCredentials> {
  if (answer.status !== 200) return err(failure('SLP-AV-0405', `${edge} answered ${answer.status}`));
  const response = parseMrasResponse(answer.body);
  if (!response.ok) return err(failure('SLP-AV-0405', `${edge} answered something else`));
  if (response.value.reason !== 'OK') return err(failure('SLP-AV-0405', `${edge}: ${response.value.reason}`));
  const date = Date.parse(answer.header('Date') ?? '');
  return ok({ response: response.value, clockAhead: Number.isNaN(date) ? undefined : date - wall });
}
