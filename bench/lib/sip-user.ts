import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { headerValue, readHeads } from './sip-wire.ts';

/**
 * The same for every connection of every proxy, since both ends of the proxy are ours. The group is named, too: left to
 * themselves, OpenSSL 3.5 of the runtime agrees with itself on X25519MLKEM768, and a Kamailio with OpenSSL 3.0 on X25519,
 * which costs a quarter less of a handshake.
 */
export const TLS = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_256_GCM_SHA384',
  ecdhCurve: 'X25519',
} as const;

/** Whoever waits longer has failed to sign in: Timer F (RFC 3261 §17.1.2.2). */
const LONGEST_ANSWER_MS = 32_000;

export interface LoadOptions {
  readonly proxy: { readonly host: string; readonly port: number };
  /** Where the clients' connections come from. */
  readonly localAddress: string;
  readonly domain: string;
  /** Name in the proxy's certificate. */
  readonly servername: string;
  /** PEM file of the authority. */
  readonly authority: string;
  readonly connections: number;
}

/** What a request of the load consists of. */
export interface RequestParts {
  readonly method: string;
  readonly uri: string;
  readonly to: string;
  /** Names the dialog. */
  readonly id: string;
  readonly cseq: string | number;
  /** Whole header lines. */
  readonly extra: readonly string[];
  readonly body?: string;
}

/** The connection of one user, on which requests are written as a client writes them. */
export class UserConnection {
  readonly #socket: TLSSocket;
  readonly #options: LoadOptions;
  readonly #user: string;
  #handle: (head: string) => void;

  /**
   * Connects and signs in as on every new connection: a REGISTER without credentials, which is challenged, and one that
   * answers. The password is the user's name.
   * @param handle gets the head of each message from then on
   */
  static async signIn(
    options: LoadOptions,
    user: string,
    handle: (head: string) => void,
  ): Promise<UserConnection> {
    const connection = new UserConnection(await openTls(options), options, user);
    try {
      await connection.#signIn();
    } catch (problem) {
      connection.close();
      throw problem;
    }
    connection.#handle = handle;
    return connection;
  }
  private constructor(socket: TLSSocket, options: LoadOptions, user: string) {
    this.#socket = socket;
    this.#options = options;
    this.#user = user;
    this.#handle = () => {};
    readHeads(socket, (head) => this.#handle(head));
  }

  /** TLS version and cipher. */
  get tls(): string {
    return `${this.#socket.getProtocol()} ${this.#socket.getCipher().name}`;
  }
  write(text: string): void {
    this.#socket.write(text, 'latin1');
  }
  close(): void {
    this.#socket.destroy();
  }

  request({ method, uri, to, id, cseq, extra, body = '' }: RequestParts): string {
    const { domain, localAddress } = this.#options;
    const port = this.#socket.localPort ?? 0;
    const user = this.#user;
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/TLS ${localAddress}:${port};branch=z9hG4bK${user}${id}${method}${cseq};rport`,
      'Max-Forwards: 70',
      `From: <sip:${user}@${domain}>;tag=${user}${id}`,
      `To: ${to}`,
      `Call-ID: ${id}-${user}-${port}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:${user}@${localAddress}:${port};transport=tls>`,
      'User-Agent: load',
      ...extra,
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  }

  async #signIn(): Promise<void> {
    const challenge = headerValue(await this.#register(1, []), 'WWW-Authenticate');
    if (challenge === undefined) throw new Error(`nobody asked who ${this.#user} is`);
    const answer = digestAnswer(challenge, this.#user, 'REGISTER', `sip:${this.#options.domain}`);
    const head = await this.#register(2, [`Authorization: ${answer}`]);
    if (!head.startsWith('SIP/2.0 200')) throw new Error(`the proxy refused to sign in: ${head}`);
  }
  /** The head of the final response. */
  #register(cseq: number, extra: readonly string[]): Promise<string> {
    const uri = `sip:${this.#options.domain}`;
    const to = `<sip:${this.#user}@${this.#options.domain}>`;
    return new Promise((resolve, reject) => {
      const gone = () => {
        clearTimeout(late);
        reject(new Error(`the proxy closed the connection of ${this.#user}`));
      };
      this.#socket.once('close', gone);
      const late = setTimeout(() => reject(new Error(`nobody answered ${this.#user}`)), LONGEST_ANSWER_MS);
      this.#handle = (head) => {
        if (head.startsWith('SIP/2.0 1')) return;
        clearTimeout(late);
        this.#socket.removeListener('close', gone);
        resolve(head);
      };
      this.write(
        this.request({ method: 'REGISTER', uri, to, id: 'r', cseq, extra: [...extra, 'Expires: 3600'] }),
      );
    });
  }
}

const contexts = new Map<string, SecureContext>();
/** A TLS connection to a proxy, its handshake done. */
async function openTls({
  proxy,
  authority,
  localAddress,
  servername,
}: Pick<LoadOptions, 'proxy' | 'authority' | 'localAddress' | 'servername'>): Promise<TLSSocket> {
  const secureContext =
    contexts.get(authority) ?? createSecureContext({ ...TLS, ca: readFileSync(authority) });
  contexts.set(authority, secureContext);
  const socket = connect({
    ...TLS,
    socket: connectTcp({ ...proxy, localAddress, noDelay: true }),
    secureContext,
    servername,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** Credentials for a digest challenge, RFC 7616 §3.4.1. */
function digestAnswer(challenge: string, user: string, method: string, uri: string): string {
  const told = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
  const [realm, nonce, opaque] = [told('realm'), told('nonce'), told('opaque')];
  const secret = md5(`${user}:${realm}:${user}`);
  const response = md5(`${secret}:${nonce}:00000001:c1e27:auth:${md5(`${method}:${uri}`)}`);
  return (
    `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", ` +
    `algorithm=MD5, cnonce="c1e27", qop=auth, nc=00000001, opaque="${opaque}"`
  );
}
function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
