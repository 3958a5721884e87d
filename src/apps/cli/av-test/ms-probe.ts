import { err, failure, ok, type Result, SystemRandom } from '#kernel';
import {
  encodeMsFrameHeader,
  isPseudoServerHello,
  MS_FRAME_HEADER_BYTES,
  MsDeframer,
  MsFrameType,
  PSEUDO_SERVER_HELLO_BYTES,
  pseudoClientHello,
  Rfc4571Cutter,
} from '#protocols/stun';
import { MsTurnClient, type MsTurnClientEvent } from '#protocols/turn';
import { located, nothingHeard, type Place, type Probe } from './relay-probe.ts';
import { clock, openWire, Patience, type ProbeTarget, type Wire, whereIs } from './wire.ts';

const LENGTH_BYTES = 2;

/** One allocation in the Microsoft dialect, by UDP or behind the hello that looks like TLS. */
export class MsProbe implements Probe {
  readonly target: ProbeTarget;
  readonly #client: MsTurnClient;
  readonly #patience = new Patience(() => this.#client.handleTimeouts(clock.now()));
  readonly #random = new SystemRandom();
  readonly #deframer = new MsDeframer();
  readonly #cutter = new Rfc4571Cutter();
  /** Octets of the server's hello so far; undefined once it is complete, and where there is none. */
  #hello: Buffer | undefined;
  #wire: Wire | undefined;
  readonly #events: MsTurnClientEvent[] = [];
  readonly #heard: string[] = [];

  constructor(target: ProbeTarget) {
    this.target = target;
    this.#client = new MsTurnClient({
      username: target.username,
      password: target.password,
      random: this.#random,
      sink: {
        control: (message) => this.#send(MsFrameType.Control, message),
        event: (event) => {
          this.#events.push(event);
          this.#patience.wake();
        },
      },
    });
  }

  async allocate(): Promise<Result<Place>> {
    const isStream = this.target.transport === 'pseudo-tls';
    if (isStream) this.#hello = Buffer.alloc(0);
    const wire = await openWire(this.target, (bytes) =>
      isStream ? this.#receiveChunk(bytes) : this.#receiveDatagram(bytes),
    );
    if (!wire.ok) return wire;
    this.#wire = wire.value;
    if (isStream) {
      wire.value.send(pseudoClientHello(this.#random.bytes(32)));
      const greeted = await this.#patience.until(() => (this.#hello === undefined ? true : undefined));
      if (greeted === undefined) return err(failure('SLP-AV-0403', `${whereIs(this.target)}: no hello`));
    }
    const event = await this.#command(() => this.#client.allocate(clock.now()));
    return event.ok && event.value.type === 'allocated' ? ok(event.value.relayed) : this.#refused(event);
  }
  async connect(peer: Place): Promise<Result<void>> {
    const event = await this.#command(() => this.#client.setActiveDestination(peer, clock.now()));
    return event.ok && event.value.type === 'destination-set' ? ok(undefined) : this.#refused(event);
  }
  send(_peer: Place, text: string): void {
    const bytes = Buffer.from(text);
    if (this.target.transport === 'ms-udp') {
      this.#wire?.send(bytes);
      return;
    }
    // Data in a stream are packets with their length (RFC 4571).
    const packet = Buffer.alloc(LENGTH_BYTES + bytes.length);
    packet.writeUInt16BE(bytes.length, 0);
    packet.set(bytes, LENGTH_BYTES);
    this.#send(MsFrameType.Data, packet);
  }
  async hears(text: string): Promise<Result<void>> {
    const found = await this.#patience.until(() => (this.#heard.includes(text) ? true : undefined));
    return found === undefined ? err(nothingHeard(this.target)) : ok(undefined);
  }
  async close(): Promise<void> {
    if (this.#client.state === 'allocated') await this.#command(() => this.#client.deallocate(clock.now()));
    this.#wire?.close();
  }

  #receiveDatagram(bytes: Buffer): void {
    if (!this.#client.handleMessage(bytes, clock.now())) this.#hear(bytes);
  }
  #receiveChunk(chunk: Buffer): void {
    if (this.#hello !== undefined) {
      this.#hello = Buffer.concat([this.#hello, chunk]);
      // The server says nothing behind its hello until it was spoken to.
      if (this.#hello.length !== PSEUDO_SERVER_HELLO_BYTES || !isPseudoServerHello(this.#hello)) return;
      this.#hello = undefined;
      this.#patience.wake();
      return;
    }
    this.#deframer.handleBytes(chunk, (type, content) => {
      if (type === MsFrameType.Control) this.#client.handleMessage(content, clock.now());
      else this.#cutter.handleBytes(content, (packet) => this.#hear(packet.subarray(LENGTH_BYTES)));
      return true;
    });
  }
  #hear(bytes: Uint8Array): void {
    this.#heard.push(Buffer.from(bytes).toString());
    this.#patience.wake();
  }

  #send(type: MsFrameType, content: Uint8Array): void {
    if (this.target.transport === 'ms-udp') {
      this.#wire?.send(content);
      return;
    }
    const frame = new Uint8Array(MS_FRAME_HEADER_BYTES + content.length);
    encodeMsFrameHeader(frame, 0, type, content.length);
    frame.set(content, MS_FRAME_HEADER_BYTES);
    this.#wire?.send(frame);
  }

  async #command(command: () => void): Promise<Result<MsTurnClientEvent>> {
    this.#events.length = 0;
    command();
    const event = await this.#patience.until(() => this.#events[0]);
    return event === undefined ? err(failure('SLP-AV-0102')) : ok(event);
  }
  #refused(outcome: Result<MsTurnClientEvent>): Result<never> {
    if (!outcome.ok) return err(located(outcome.error, this.target));
    const why = 'failure' in outcome.value ? outcome.value.failure : undefined;
    return err(located(why ?? failure('SLP-AV-0102'), this.target));
  }
}
