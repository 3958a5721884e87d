import { once } from 'node:events';
import type { TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { err, SystemClock, SystemRandom } from '#kernel';
import { loadCredentials, loadTrustAnchors } from '#platform/pki';
import { EdgeLinks } from '#platform/psom-link';
import { Metrics } from '#platform/telemetry';
import { decodeOperation, encodeOperation, FrameReader, type Operation } from '#protocols/psom';
import { conferenceSigningKey, sealConferenceToken } from '#protocols/tokens';
import type { LinkOrder } from './gateway-actor.ts';

export interface JoinOrder {
  /** The web conferencing address of an edge, and what it is called. */
  readonly address: string;
  readonly name: string;
  readonly localAddress: string;
  readonly token: string;
}

const clock = new SystemClock();
const random = new SystemRandom();
const FRAMES = { frameBytes: 65_535, frameMs: 20_000 };
const LIMITS = { streams: 64, outboundBytes: 1 << 20, establishmentMs: 20_000, pingMs: 20_000 };
const TOKEN_MS = 60_000;
const COOKIE = 8057;

/** Both ends of web conferencing: a service that dials edges, and a participant that joins by a token and asks for an echo. */
export class ConferencingActor {
  readonly #key = conferenceSigningKey(random.bytes(32));
  readonly #links = new Map<string, EdgeLinks>();
  /** Edges that participants came by, with the address that they came from. */
  readonly #came: string[] = [];

  /** Opens a link, in place of one that was there; resolves when the edge has said where it is. */
  async open(order: LinkOrder): Promise<void> {
    this.#links.get(order.edge)?.close();
    const [credentials, trust] = [loadCredentials(order), loadTrustAnchors(order.authority)];
    if (!credentials.ok || !trust.ok) throw new Error('the files of the service are not usable');
    await new Promise<void>((resolve) => {
      const links = new EdgeLinks(
        { clock, random, metrics: new Metrics() },
        {
          edges: [{ name: order.edge, address: order.address, port: 8057 }],
          credentials: credentials.value,
          trust: trust.value,
          localAddresses: [order.localAddress],
          limits: LIMITS,
          handshakeMs: 20_000,
          backOff: { firstMs: 100, longestMs: 1000 },
        },
        { node: order.own, keys: [this.#key.publicBytes], state: 'ready' },
        {
          handleParticipant: (connection, { edge }) => {
            this.#came.push(`${edge} ${connection.remote.address}`);
            const reader = new FrameReader(FRAMES);
            connection.onData = (chunk) => {
              for (const body of reader.push(chunk, clock.now())) {
                const answer = answerTo(decodeOperation(body));
                if (answer !== undefined) connection.write(encodeOperation(answer));
              }
            };
            connection.onClose = () => {};
          },
          handleContent: async () => err('not-found'),
          handleFault: (_, problem) => {
            throw problem;
          },
          handleReady: () => resolve(),
          handleChange: () => {},
          handleEnd: () => {},
        },
      );
      this.#links.set(order.edge, links);
    });
  }
  /** A token for somebody who wants in. */
  token({ node }: { readonly node: string }): string {
    return sealConferenceToken(this.#key, {
      purpose: 'join',
      node,
      conference: 'proofproofproof2',
      participant: 1,
      role: 'attendee',
      serial: Buffer.from(random.bytes(16)).toString('hex'),
      expires: clock.wall() + TOKEN_MS,
    });
  }
  /** Who came so far. */
  participants(): readonly string[] {
    return this.#came;
  }

  /** Joins and has a PING answered; gives what was heard: `joined pong`, or the reason of a refusal. */
  async join({ address, name, localAddress, token }: JoinOrder): Promise<string> {
    const how: ConnectionOptions & TcpNetConnectOpts = {
      host: address,
      port: 443,
      localAddress,
      servername: name,
      ALPNProtocols: ['sallyport-psom/1'],
      // What is proven is the way; that a client checks the name is its own concern.
      rejectUnauthorized: false,
    };
    const socket = connect(how);
    await once(socket, 'secureConnect');
    socket.write(encodeOperation({ kind: 'join', version: 1, show: 'conference', token }));
    const heard: string[] = [];
    const reader = new FrameReader(FRAMES);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      for (const body of reader.push(chunk, clock.now())) {
        const operation = decodeOperation(body);
        heard.push(operation?.kind === 'refused' ? operation.reason : (operation?.kind ?? 'garbage'));
        if (operation?.kind === 'joined') socket.write(encodeOperation({ kind: 'ping', cookie: COOKIE }));
      }
      if (heard.length >= 2) break;
    }
    socket.destroy();
    return heard.join(' ');
  }
}

function answerTo(operation: Operation | undefined): Exclude<Operation, { kind: 'call' }> | undefined {
  if (operation?.kind === 'join') return { kind: 'joined', resumeToken: 'none' };
  return operation?.kind === 'ping' ? { kind: 'pong', cookie: operation.cookie } : undefined;
}
