import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Clock, FailureError, failure, literalLookup } from '#kernel';
import { writeXml, type XmlElement, XmlStreamReader } from '#protocols/xml';
import { NS, partnerLimits } from '#protocols/xmpp';

export interface ComponentOptions {
  readonly clock: Clock;
  /** Of the server to which it belongs. */
  readonly address: string;
  readonly port: number;
  readonly domain: string;
  readonly secret: string;
  readonly handleStanza: (stanza: XmlElement) => void;
  readonly handleTrouble: (what: string) => void;
}

const NAMESPACE = 'jabber:component:accept';
const HANDSHAKE_MS = 10_000;

/** A whole domain of an XMPP server, spoken for by a program (XEP-0114): the server has the streams with others. */
export class Component {
  readonly #options: ComponentOptions;
  readonly #socket: Socket;
  readonly #reader = new XmlStreamReader(partnerLimits);
  readonly #ready = Promise.withResolvers<void>();
  #open = false;
  #closed = false;

  private constructor(options: ComponentOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => {});
    socket.on('close', () => this.#fail('the server closed the connection of its component'));
    const { domain } = options;
    socket.write(
      `<stream:stream xmlns='${NAMESPACE}' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`,
    );
  }

  /** Connects, and resolves when the server takes stanzas. Throws a FailureError. */
  static async open(options: ComponentOptions): Promise<Component> {
    const socket = connect({ host: options.address, port: options.port, lookup: literalLookup });
    await once(socket, 'connect');
    const component = new Component(options, socket);
    const cancel = options.clock.after(HANDSHAKE_MS, () => component.#fail('the server did not answer'));
    try {
      await component.#ready.promise;
    } finally {
      cancel();
    }
    return component;
  }

  send(stanza: XmlElement): void {
    this.#socket.write(writeXml(inNamespace(stanza, NS.server, NAMESPACE), NAMESPACE));
  }
  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    for (const event of this.#reader.read(bytes, this.#options.clock.now())) {
      if (event.type === 'root') this.#shakeHands(event.root.attributes.get('id') ?? '');
      else if (event.type === 'element') this.#handle(event.element);
      else this.#fail(event.type === 'end' ? 'the server ended the stream' : `not XML: ${event.problem}`);
    }
  }
  #shakeHands(streamId: string): void {
    const proof = createHash('sha1').update(`${streamId}${this.#options.secret}`).digest('hex');
    this.#socket.write(`<handshake>${proof}</handshake>`);
  }
  #handle(element: XmlElement): void {
    if (element.namespace === NAMESPACE && element.name === 'handshake') {
      this.#open = true;
      this.#ready.resolve();
    } else if (this.#open && element.namespace === NAMESPACE) {
      this.#options.handleStanza(inNamespace(element, NAMESPACE, NS.server));
    } else this.#fail(`the server said ${element.name}`);
  }
  #fail(what: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    if (this.#open) this.#options.handleTrouble(what);
    this.#ready.reject(new FailureError(failure('SLP-APP-0009', what)));
  }
}

/** Servers and components call the same stanzas by namespaces of their own. */
function inNamespace(one: XmlElement, from: string, to: string): XmlElement {
  return {
    ...one,
    namespace: one.namespace === from ? to : one.namespace,
    children: one.children.map((item) => (typeof item === 'string' ? item : inNamespace(item, from, to))),
  };
}
