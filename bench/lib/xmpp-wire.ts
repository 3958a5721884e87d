import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

/* Just enough XMPP for the load, written apart from the product: what arrives is counted and not parsed. */

interface Place {
  readonly host: string;
  readonly port: number;
}

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const HEAD = (from: string, to: string) =>
  `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='${from}' to='${to}' version='1.0'>`;

/** Everything that comes until the text holds `what`. */
async function until(socket: Socket, what: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (what.test(text)) return text;
  }
  throw new Error(`the server closed, having said: ${text.slice(-500)}`);
}

interface Identity {
  readonly certificate: string;
  readonly key: string;
  readonly localAddress: string;
}

function dial(
  { host, port }: Place,
  identity: Identity,
  servername: string,
  alpn: readonly string[] = [],
): TLSSocket {
  const how: ConnectionOptions & TcpNetConnectOpts = {
    host,
    port,
    localAddress: identity.localAddress,
    autoSelectFamily: false,
    cert: readFileSync(identity.certificate),
    key: readFileSync(identity.key),
    servername,
    rejectUnauthorized: false,
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
  };
  return connectTls(how);
}

/** A stream of a partner that has proven its domain: TLS from the first byte, SASL EXTERNAL. */
export async function openPartner(
  { host, port }: Place,
  identity: Identity,
  domains: { readonly from: string; readonly to: string },
): Promise<TLSSocket> {
  const socket = dial({ host, port }, identity, domains.to, ['xmpp-server']);
  await once(socket, 'secureConnect');
  const { from, to } = domains;
  socket.write(HEAD(from, to));
  await until(socket, /EXTERNAL[\s\S]*<\/stream:features>/);
  const name = Buffer.from(from).toString('base64');
  socket.write(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>${name}</auth>`);
  await until(socket, /<success/);
  socket.write(HEAD(from, to));
  await until(socket, /<\/stream:features>|<stream:features\/>/);
  socket.on('data', () => {});
  socket.on('error', () => {});
  return socket;
}

/** Counts messages in what arrives, wherever it is cut. */
export class MessageCount {
  count = 0;
  #tail = '';
  readonly #onCount: () => void;

  constructor(onCount: () => void) {
    this.#onCount = onCount;
  }
  /** @returns whether an acknowledgement is asked for */
  take(chunk: Buffer): boolean {
    const text = this.#tail + chunk.toString('latin1');
    const found = text.split('</message>').length - 1;
    const asked = text.includes('<r ');
    this.#tail = text.slice(
      Math.max(text.lastIndexOf('</message>') + 10, text.lastIndexOf('<r ') + 3, text.length - 9),
    );
    this.count += found;
    if (found > 0) this.#onCount();
    return asked;
  }
}

const MANAGEMENT = 'urn:xmpp:sm:3';

/** The inner end of the link of docs/protocols/xmpp-link.md. */
export async function openGateway(
  { host, port }: Place,
  identity: Identity,
  names: { readonly own: string; readonly edge: string },
  counted: MessageCount,
): Promise<TLSSocket> {
  const socket = dial({ host, port }, identity, names.edge);
  await once(socket, 'secureConnect');
  socket.write(HEAD(names.own, names.edge));
  await until(socket, /<\/stream:features>/);
  socket.write(`<enable xmlns='${MANAGEMENT}'/>`);
  await until(socket, /<enabled/);
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    if (counted.take(chunk)) socket.write(`<a xmlns='${MANAGEMENT}' h='${counted.count}'/>`);
  });
  return socket;
}

/** A component behind a server: where the same messages end. */
export async function openComponent(
  { host, port }: Place,
  name: string,
  secret: string,
  counted: MessageCount,
): Promise<Socket> {
  const socket = connect({ host, port });
  await once(socket, 'connect');
  socket.write(
    `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${name}'>`,
  );
  const id = /id=['"]([^'"]+)['"]/.exec(await until(socket, /<stream:stream[^>]*>/))?.[1] ?? '';
  socket.write(
    `<handshake>${createHash('sha1')
      .update(id + secret)
      .digest('hex')}</handshake>`,
  );
  await until(socket, /<handshake/);
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => counted.take(chunk));
  return socket;
}
