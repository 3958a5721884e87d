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

interface Bindings {
  binding(name: 'udp_wrap'): { readonly SendWrap?: new () => SendRequest };
}

/** Makes send requests; undefined when this runtime does not let anybody. */
export const newSendRequest: (() => SendRequest) | undefined = (() => {
  try {
    const { SendWrap } = (process as unknown as Bindings).binding('udp_wrap');
    return SendWrap === undefined ? undefined : () => new SendWrap();
  } catch {
    return undefined;
  }
})();

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
