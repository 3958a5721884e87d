import {
  decodeMs,
  decodeMsAddress,
  decodeMsErrorCode,
  decodeMsSequence,
  decodeMsText,
  encodeMsAddress,
  encodeMsIntegrity,
  encodeMsSequence,
  longTermKey,
  looksLikeMs,
  MsAttributeType,
  MsDeframer,
  MsFrameType,
  type MsMessage,
  MsMessageType,
  MsWriter,
} from '#protocols/stun';
import type { TurnListener } from '../index.ts';
import { PASSWORD, type RelayStage } from './relay-stage.ts';

export interface MsClientOptions {
  readonly listener: TurnListener;
  readonly address?: string;
  readonly port?: number;
  readonly username?: string;
}

/** A client of the Microsoft dialect on the stage: builds messages by hand and keeps realm, nonce and numbers. */
export class StagedMsClient {
  readonly stage: RelayStage;
  readonly listener: TurnListener;
  readonly address: string;
  readonly port: number;
  username: string;
  password = PASSWORD;
  realm: string | undefined;
  nonce: Uint8Array | undefined;
  connectionId: Uint8Array | undefined;
  sequence = 0;
  version = 1;
  readonly #writer = new MsWriter();

  constructor(stage: RelayStage, options: MsClientOptions) {
    this.stage = stage;
    this.listener = options.listener;
    this.address = options.address ?? '198.51.100.7';
    this.port = options.port ?? 40_000;
    this.username = options.username ?? 'alice';
  }
  get key(): Buffer {
    return longTermKey(this.username, this.realm ?? '', this.password);
  }
  begin(type: number): MsWriter {
    return this.#writer.begin(new Uint8Array(66_000), type, this.stage.random.bytes(16));
  }
  /** A request without credentials. */
  bare(type: number, fill: (writer: MsWriter) => void = () => {}): Buffer {
    const writer = this.begin(type);
    writer.putU32(MsAttributeType.MsVersion, this.version);
    fill(writer);
    return Buffer.from(writer.bytes);
  }
  /** An Allocate with credentials, after a challenge if there was none yet. */
  allocateRequest(fill: (writer: MsWriter) => void = () => {}): Buffer {
    if (this.nonce === undefined) this.challenge();
    const writer = this.begin(MsMessageType.AllocateRequest);
    writer.putU32(MsAttributeType.MsVersion, this.version);
    fill(writer);
    writer.put(MsAttributeType.Realm, Buffer.from(this.realm ?? ''));
    writer.put(MsAttributeType.Nonce, this.nonce ?? new Uint8Array(0));
    writer.put(MsAttributeType.Username, Buffer.from(this.username));
    this.#number(writer);
    encodeMsIntegrity(writer, this.key);
    return Buffer.from(writer.bytes);
  }
  /** Send and Set Active Destination: username, number and integrity, no realm, no nonce. */
  request(type: number, fill: (writer: MsWriter) => void): Buffer {
    const writer = this.begin(type);
    writer.put(MsAttributeType.Username, Buffer.from(this.username));
    this.#number(writer);
    fill(writer);
    encodeMsIntegrity(writer, this.key);
    return Buffer.from(writer.bytes);
  }
  challenge(): void {
    const refusal = this.ask(this.bare(MsMessageType.AllocateRequest));
    const nonce = decodeMsText(refusal, MsAttributeType.Nonce);
    const realm = decodeMsText(refusal, MsAttributeType.Realm);
    if (nonce.ok) this.nonce = nonce.value;
    if (realm.ok) this.realm = Buffer.from(realm.value).toString();
  }
  /** Allocates; the relayed address. */
  allocate(fill: (writer: MsWriter) => void = () => {}): { address: string; port: number } {
    const answer = this.ask(this.allocateRequest(fill));
    const relayed = decodeMsAddress(answer, MsAttributeType.MappedAddress);
    if (!relayed.ok) throw new Error(`refused with ${msErrorOf(answer)}`);
    const sequence = decodeMsSequence(answer);
    if (sequence.ok) {
      this.connectionId = sequence.value.connectionId;
      this.sequence = sequence.value.number;
    }
    this.received();
    return relayed.value;
  }
  /** Renews, or with 0 ends; the error code, or 0. */
  refresh(lifetime?: number): number {
    const request = this.allocateRequest((writer) => {
      if (lifetime !== undefined) writer.putU32(MsAttributeType.Lifetime, lifetime);
    });
    return msErrorOf(this.ask(request));
  }
  sendRequest(address: string, port: number, data: string): Buffer {
    return this.request(MsMessageType.SendRequest, (writer) => {
      encodeMsAddress(writer, MsAttributeType.DestinationAddress, address, port);
      writer.put(MsAttributeType.Data, Buffer.from(data));
    });
  }
  sendTo(address: string, port: number, data: string): void {
    this.send(this.sendRequest(address, port, data));
  }
  destinationRequest(address: string, port: number): Buffer {
    return this.request(MsMessageType.SetActiveDestinationRequest, (writer) =>
      encodeMsAddress(writer, MsAttributeType.DestinationAddress, address, port),
    );
  }
  /** Sets the active destination; the error code, or 0. */
  setActiveDestination(address: string, port: number): number {
    return msErrorOf(this.ask(this.destinationRequest(address, port)));
  }
  /** Delivers a control message, in a stream as its frame. */
  send(bytes: Uint8Array): void {
    const { stage, listener, address, port } = this;
    if (listener.transport === 'udp')
      stage.relay.handleClientDatagram(listener, address, port, bytes, stage.now);
    else this.frame(MsFrameType.Control, bytes);
  }
  /** Delivers a frame of a stream; false when the relay wants the connection closed. */
  frame(type: MsFrameType, content: Uint8Array): boolean {
    const { stage, listener, address, port } = this;
    return stage.relay.handleMsFrame(listener, address, port, type, content, stage.now);
  }
  /** Delivers bytes and decodes the one answer that they draw at once; sockets are bound on the way. */
  ask(bytes: Uint8Array): MsMessage {
    const answers = this.draw(bytes);
    const decoded = decodeMs(answers[0] ?? new Uint8Array(0));
    if (answers.length !== 1 || !decoded.ok) throw new Error(`${answers.length} answers`);
    return decoded.value;
  }
  /** Delivers bytes; what comes back at once. */
  draw(bytes: Uint8Array): Buffer[] {
    this.received();
    this.send(bytes);
    this.stage.bindAll();
    return this.received();
  }
  /** The datagrams that reached this client, and forgets them. */
  received(): Buffer[] {
    const { toClient } = this.stage.sink;
    const mine = toClient.filter((item) => item.address === this.address && item.port === this.port);
    for (const item of mine) toClient.splice(toClient.indexOf(item), 1);
    if (this.listener.transport === 'udp') return mine.map((item) => item.bytes);
    // In a stream: control messages as they are, data behind "03".
    const contents: Buffer[] = [];
    for (const { bytes } of mine) {
      const good = new MsDeframer().handleBytes(bytes, (type, content) => {
        const copy = Buffer.from(content);
        contents.push(type === MsFrameType.Control ? copy : Buffer.concat([Buffer.from('03'), copy]));
        return true;
      });
      if (!good) throw new Error('not framed');
    }
    return contents;
  }
  /** The same in short: "from address:port data" for indications, "raw data" for the rest. */
  heard(): string[] {
    return this.received().map((bytes) => {
      if (!looksLikeMs(bytes)) return `raw ${bytes.toString()}`;
      const decoded = decodeMs(bytes);
      if (!decoded.ok) return decoded.error;
      const from = decodeMsAddress(decoded.value, MsAttributeType.RemoteAddress);
      const data = Buffer.from(decoded.value.value(MsAttributeType.Data) ?? []).toString();
      return from.ok ? `from ${from.value.address}:${from.value.port} ${data}` : `type ${decoded.value.type}`;
    });
  }
  #number(writer: MsWriter): void {
    if (this.connectionId !== undefined) encodeMsSequence(writer, this.connectionId, ++this.sequence);
  }
}

/** The error code of an answer, 0 for a success. */
export function msErrorOf(message: MsMessage): number {
  const code = decodeMsErrorCode(message);
  return code.ok ? code.value : 0;
}
