import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { until } from '#kernel';
import {
  type AddressFamily,
  AttributeType,
  decodeConnectionId,
  decodeErrorCode,
  decodeStun,
  decodeText,
  decodeXorAddress,
  encodeAddressFamily,
  encodeConnectionId,
  encodeMessageIntegrity,
  encodeRequestedTransport,
  encodeText,
  encodeXorAddress,
  longTermKey,
  MessageClass,
  Method,
  StunFramer,
  type StunMessage,
  StunWriter,
} from '#protocols/stun';

/** Opens another connection to the relay. */
type Connect = () => Promise<Socket>;
type Credential = { readonly username: string; readonly password: string };

/** A client of RFC 6062 made by hand: one control connection, and a connection for each peer. */
export class TcpRelayClient {
  readonly #connect: Connect;
  readonly #credential: Credential;
  readonly control: Control;
  readonly #streams: Socket[] = [];

  static async open(connect: Connect, credential: Credential): Promise<TcpRelayClient> {
    return new TcpRelayClient(connect, credential, new Control(await connect(), credential));
  }
  private constructor(connect: Connect, credential: Credential, control: Control) {
    this.#connect = connect;
    this.#credential = credential;
    this.control = control;
  }
  /** The relayed address. */
  async allocate(family: AddressFamily = 'ipv4'): Promise<{ address: string; port: number }> {
    const answer = await this.control.ask(Method.Allocate, (writer) => {
      encodeRequestedTransport(writer, 6);
      if (family === 'ipv6') encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, family);
    });
    const relayed = decodeXorAddress(answer, AttributeType.XorRelayedAddress);
    if (!relayed.ok) throw new Error(`no allocation: ${codeOf(answer)}`);
    return { address: relayed.value.address, port: relayed.value.port };
  }
  async permit({ address, port }: { address: string; port: number }): Promise<number> {
    return codeOf(
      await this.control.ask(Method.CreatePermission, (writer) =>
        encodeXorAddress(writer, AttributeType.XorPeerAddress, address, port),
      ),
    );
  }
  /** CONNECTION-ID, or minus the error code. */
  async connect(address: string, port: number): Promise<number> {
    const answer = await this.control.ask(Method.Connect, (writer) =>
      encodeXorAddress(writer, AttributeType.XorPeerAddress, address, port),
    );
    const id = decodeConnectionId(answer);
    return id.ok ? id.value : -codeOf(answer);
  }
  /** The id of the next ConnectionAttempt. */
  async attempted(): Promise<number> {
    await until(() => this.control.attempts.length > 0);
    return this.control.attempts.shift() ?? 0;
  }
  /** A new connection, bound to the peer's: a raw stream from then on. */
  async bind(id: number): Promise<Socket> {
    const data = new Control(await this.#connect(), this.#credential);
    const answer = await data.ask(Method.ConnectionBind, (writer) => encodeConnectionId(writer, id));
    if (answer.messageClass !== MessageClass.Success) throw new Error(`not bound: ${codeOf(answer)}`);
    this.#streams.push(data.socket);
    return data.socket;
  }
  /** Drops the control connection. */
  close(): void {
    this.control.socket.destroy();
  }
  /** Drops everything. */
  end(): void {
    this.close();
    for (const stream of this.#streams) stream.destroy();
  }
}

class Control {
  readonly socket: Socket;
  readonly attempts: number[] = [];
  readonly #credential: Credential;
  readonly #answers: StunMessage[] = [];
  readonly #framer: StunFramer;
  readonly #receive: (chunk: Buffer) => void;
  #realm = Buffer.alloc(0);
  #nonce: Uint8Array | undefined;
  #isBound = false;

  constructor(socket: Socket, credential: Credential) {
    this.socket = socket;
    this.#credential = credential;
    this.#framer = new StunFramer(70_000, (frame) => this.#take(frame));
    this.#receive = (chunk) => {
      this.#framer.push(chunk);
      if (this.#isBound) this.#leave();
    };
    socket.on('data', this.#receive);
  }
  /** Asks, and again with a credential when it is challenged. */
  async ask(method: number, fill: (writer: StunWriter) => void): Promise<StunMessage> {
    for (;;) {
      this.socket.write(this.#request(method, fill));
      await until(() => this.#answers.length > 0);
      const answer = this.#answers.shift() as StunMessage;
      const code = codeOf(answer);
      if (code !== 438 && (code !== 401 || this.#nonce !== undefined)) return answer;
      const nonce = decodeText(answer, AttributeType.Nonce);
      const realm = decodeText(answer, AttributeType.Realm);
      if (!nonce.ok || !realm.ok) return answer;
      this.#nonce = nonce.value;
      this.#realm = Buffer.from(realm.value);
    }
  }
  /** What follows is the peer's, and not for us to read. */
  #leave(): void {
    this.socket.off('data', this.#receive);
    this.socket.pause();
    if (this.#framer.rest.length > 0) this.socket.unshift(this.#framer.rest);
  }
  #request(method: number, fill: (writer: StunWriter) => void): Uint8Array {
    const writer = new StunWriter().begin(new Uint8Array(600), method, MessageClass.Request, randomBytes(12));
    fill(writer);
    if (this.#nonce === undefined) return writer.bytes;
    const { username, password } = this.#credential;
    encodeText(writer, AttributeType.Username, Buffer.from(username));
    encodeText(writer, AttributeType.Realm, this.#realm);
    encodeText(writer, AttributeType.Nonce, this.#nonce);
    encodeMessageIntegrity(writer, longTermKey(username, this.#realm, password));
    return writer.bytes;
  }
  #take(frame: Buffer): void {
    const message = decodeStun(frame);
    if (!message.ok) throw new Error(message.error);
    const { messageClass, method } = message.value;
    if (method === Method.ConnectionBind && messageClass === MessageClass.Success) {
      this.#isBound = true;
      this.#framer.stop();
    }
    if (messageClass !== MessageClass.Indication) this.#answers.push(message.value);
    else {
      const id = decodeConnectionId(message.value);
      if (method === Method.ConnectionAttempt && id.ok) this.attempts.push(id.value);
    }
  }
}

/** 0 for a success. */
function codeOf(message: StunMessage): number {
  const code = decodeErrorCode(message);
  return code.ok ? code.value.code : 0;
}

/** Everything that a stream still brings, until its end. */
export async function readToEnd(
  socket: Socket,
  take: (chunk: Buffer) => Promise<void> | void,
): Promise<void> {
  for await (const chunk of socket) await take(chunk as Buffer);
  if (!socket.readableEnded) await once(socket, 'end');
}
