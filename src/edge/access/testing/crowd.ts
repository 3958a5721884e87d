import type { TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type TLSSocket } from 'node:tls';
import type { AccessLab } from './lab.ts';
import { SipPeer } from './sip-peer.ts';

/** Below the backlog of the listener: what the system drops would come again only seconds later. */
const SIDE_BY_SIDE = 50;

/** One of many who connect in the same moment. */
export interface Comer {
  readonly source: string;
  readonly socket: TLSSocket;
  state: 'connecting' | 'secure' | 'refused';
}

/** Very many connections with an edge at once, from many addresses of this machine. */
export class Crowd {
  readonly comers: Comer[] = [];
  readonly #lab: AccessLab;
  readonly #secureContext;

  constructor(lab: AccessLab) {
    this.#lab = lab;
    this.#secureContext = createSecureContext({ ca: lab.authority.certificatePem });
  }

  /**
   * All begin without waiting for one another.
   * @param sources where each of them comes from; IPv6 addresses go to the edge's IPv6 address
   */
  async comes(sources: readonly string[]): Promise<void> {
    for (const [index, source] of sources.entries()) {
      this.#begin(source);
      if (index % SIDE_BY_SIDE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  #begin(source: string): void {
    const options: ConnectionOptions & TcpNetConnectOpts = {
      host: source.includes(':') ? '::1' : this.#lab.externalAddress,
      port: this.#lab.externalPort,
      localAddress: source,
      secureContext: this.#secureContext,
      servername: 'sip.example.com',
    };
    const socket = connect(options);
    const comer: Comer = { source, socket, state: 'connecting' };
    this.comers.push(comer);
    socket.on('error', () => {});
    socket.on('secureConnect', () => {
      comer.state = 'secure';
    });
    socket.on('close', () => {
      comer.state = 'refused';
    });
  }

  inState(state: Comer['state'], source?: string): Comer[] {
    return this.comers.filter(
      (one) => one.state === state && (source === undefined || one.source === source),
    );
  }
  /** Every one of those who got in is served. */
  async isAnswered(): Promise<SipPeer[]> {
    const peers = this.inState('secure').map(({ socket }) => new SipPeer(socket));
    for (const peer of peers) peer.sends('\r\n\r\n');
    for (const peer of peers) await peer.receivesPong();
    return peers;
  }
  leaves(): void {
    for (const { socket } of this.comers) socket.destroy();
    this.comers.length = 0;
  }
}
