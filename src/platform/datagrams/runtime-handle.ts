import type { Socket } from 'node:dgram';

/** The runtime's own UDP socket, on which a dgram.Socket stands; as far as a datagram's way needs it. */
export interface SocketHandle {
  /** Called for what arrives; `status` below 0 is an error and has no bytes. */
  onmessage: (status: number, handle: unknown, bytes: Buffer, remote: RemoteAddress) => void;
  /**
   * Sends to an IP literal. Octets + 1 when they have left; 0 when they wait, and then `request` belongs to the
   * runtime until its `oncomplete`; below 0 an error, which Linux has reported at once.
   */
  send(
    request: SendRequest,
    list: readonly Uint8Array[],
    count: number,
    port: number,
    address: string,
    tells: boolean,
  ): number;
}

/** The same, not bound yet. What gives a number gives 0, or below 0 an error. */
export interface UnboundHandle extends SocketHandle {
  bind(address: string, port: number, flags: number): number;
  readonly bind6: UnboundHandle['bind'];
  readonly send6: SocketHandle['send'];
  recvStart(): number;
  recvStop(): number;
  /** Writes where it is bound into `place`. */
  getsockname(place: { address?: string; port?: number }): number;
  /** Undefined when the system refused; it may also have given less. */
  bufferSize(octets: number, ofReceiving: boolean, problem: object): number | undefined;
  close(done?: () => void): void;
}

export interface RemoteAddress {
  readonly address: string;
  readonly port: number;
}

/** Something of the runtime's; nothing else may be passed in its place. */
export interface SendRequest {
  oncomplete?: (status: number, octets: number) => void;
  /** Keeps what waits from being collected. */
  list?: readonly Uint8Array[];
}

/** What a dgram.Socket keeps of itself. */
export interface HandleHolder {
  /** Null or undefined once the socket is closed. */
  readonly handle: SocketHandle | null | undefined;
}

interface UdpBinding {
  readonly SendWrap?: new () => SendRequest;
  readonly UDP?: new () => UnboundHandle;
  readonly constants?: { readonly UV_UDP_IPV6ONLY?: number };
}
interface Bindings {
  binding(name: 'udp_wrap'): UdpBinding;
}

/** What the runtime lets others have of its UDP; nothing when it does not. */
const udp: UdpBinding = (() => {
  try {
    return (process as unknown as Bindings).binding('udp_wrap');
  } catch {
    return {};
  }
})();

/** Makes send requests; undefined when this runtime does not let anybody. */
export const newSendRequest: (() => SendRequest) | undefined = (() => {
  const { SendWrap } = udp;
  return SendWrap === undefined ? undefined : () => new SendWrap();
})();

/** Makes handles that are not bound; undefined when this runtime does not let anybody, or makes them differently. */
export const newHandle: (() => UnboundHandle) | undefined = (() => {
  const { UDP, constants } = udp;
  if (UDP === undefined || constants?.UV_UDP_IPV6ONLY === undefined) return undefined;
  const methods = [
    'bind',
    'bind6',
    'send',
    'send6',
    'recvStart',
    'recvStop',
    'getsockname',
    'bufferSize',
    'close',
  ];
  return methods.every((name) => typeof Reflect.get(UDP.prototype, name) === 'function')
    ? () => new UDP()
    : undefined;
})();

/**
 * Binds a new handle on exactly this address and begins to receive, unless somebody else is to.
 * @returns 0, or below 0 the error; then the handle is closed
 */
export function bindHandle(
  handle: UnboundHandle,
  isIpv6: boolean,
  address: string,
  port: number,
  receives = true,
): number {
  if (isIpv6) handle.send = handle.send6;
  const bound = isIpv6
    ? handle.bind6(address, port, udp.constants?.UV_UDP_IPV6ONLY ?? 0)
    : handle.bind(address, port, 0);
  const status = bound < 0 || !receives ? bound : handle.recvStart();
  if (status < 0) handle.close();
  return Math.min(status, 0);
}

/** Where a bound socket keeps its handle; undefined when this runtime's sockets are made differently. */
export function handleHolderOf(socket: Socket): HandleHolder | undefined {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    if (symbol.description !== 'state symbol') continue;
    const state: unknown = Reflect.get(socket, symbol);
    if (isHolder(state)) return state;
  }
  return undefined;
}

function isHolder(state: unknown): state is HandleHolder {
  const handle: unknown = typeof state === 'object' && state !== null && Reflect.get(state, 'handle');
  return typeof handle === 'object' && handle !== null && typeof Reflect.get(handle, 'send') === 'function';
}
