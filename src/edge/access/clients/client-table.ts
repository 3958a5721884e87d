import { createHash } from 'node:crypto';
import type { Monotonic, Random } from '#kernel';
import type { SipFlow } from '#platform/sip-endpoint';
import { decodeFlowToken, encodeFlowToken, type TokenKeys } from '#protocols/tokens';
import { RecentPairs } from '../topology-hiding/recent-pairs.ts';
import { ClientConnection } from './client-connection.ts';

export interface ClientTableOptions {
  readonly keys: TokenKeys;
  /** 0..65535; see {@link nodeNumber}. */
  readonly node: number;
  /** Index of this process among those that share the listeners, 0..65535. */
  readonly worker: number;
  readonly random: Random;
}

export type TokenVerdict = ClientConnection | 'dead' | 'forged';

/** Every client connection, by the flow token that names it. */
export class ClientTable {
  readonly #options: ClientTableOptions;
  #keys: TokenKeys;
  readonly #clients = new Map<string, ClientConnection>();
  /** Tokens of other workers that were looked at last: the messages of a call name the same ones again and again. */
  #elsewhere = new RecentPairs();

  constructor(options: ClientTableOptions) {
    this.#options = options;
    this.#keys = options.keys;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Newcomers get tokens of other keys; who is there keeps the one it has for as long as its connection lives. */
  exchange(keys: TokenKeys): void {
    this.#elsewhere = new RecentPairs();
    this.#keys = keys;
  }

  /** The table is as large as there are open connections, which the listener limits. */
  add(flow: SipFlow, now: Monotonic): ClientConnection {
    const { node, worker, random } = this.#options;
    const nonce = Buffer.from(random.bytes(6)).readUIntBE(0, 6);
    const token = encodeFlowToken(this.#keys, { node, worker, connection: flow.connection.id, nonce });
    const client = new ClientConnection(flow, token, now);
    this.#clients.set(token, client);
    return client;
  }

  remove(client: ClientConnection): void {
    this.#clients.delete(client.token);
  }

  /**
   * The connection that a token names. A token of ours whose connection is gone, or which another process or edge
   * made, is dead here (430); one that nobody with our key made is forged (403).
   */
  find(token: string): TokenVerdict {
    return this.#clients.get(token) ?? (decodeFlowToken(this.#keys, token).ok ? 'dead' : 'forged');
  }

  /** The worker of this edge that made a token; undefined for the tokens of other edges, and for what is none. */
  workerOf(token: string): number | undefined {
    if (this.#clients.has(token)) return this.#options.worker;
    const known = this.#elsewhere.get(token);
    if (known !== undefined) return Number(known);
    const decoded = decodeFlowToken(this.#keys, token);
    if (!decoded.ok || decoded.value.node !== this.#options.node) return undefined;
    this.#elsewhere.set(token, String(decoded.value.worker));
    return decoded.value.worker;
  }

  values(): IterableIterator<ClientConnection> {
    return this.#clients.values();
  }
}

/** A number for an edge in its pool, made from its name so that nobody has to give one out. */
export function nodeNumber(name: string): number {
  return createHash('sha256').update(name.toLowerCase()).digest().readUInt16BE(0);
}
