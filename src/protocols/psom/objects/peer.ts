import type { Monotonic } from '#kernel';
import { type FrameFault, type FrameLimits, FrameReader } from '../framing/frame-reader.ts';
import {
  type DisconnectReason,
  decodeOperation,
  encodeCall,
  encodeOperation,
  type Operation,
} from '../framing/operations.ts';
import type { DistributedInterface, Methods, Stub } from './interface.ts';
import { type DistributedObject, type ObjectEntry, ObjectTable, ROOT_PROXY } from './object-table.ts';
import { type ParameterValue, readParameters, writeParameters } from './parameters.ts';
import type { SharedCall } from './shared-call.ts';

export interface PsomLimits extends FrameLimits {
  /** Objects at a time, the root and those about to go included; at least 2. */
  readonly objects: number;
  /** Depth of the tree below the root; at least 1. */
  readonly depth: number;
  /** Longest name of a child, in UTF-16 units. */
  readonly nameLength: number;
}

/** Why a connection cannot go on: what arrived is nothing that a peer of ours sends. */
export type PsomFault =
  | FrameFault
  | 'malformed'
  | 'unexpected-operation'
  | 'unknown-object'
  | 'unknown-method'
  | 'wrong-parameters'
  | 'identifier-taken'
  | 'identifier-of-other-side'
  | 'name-too-long'
  | 'too-many-objects';

/** What the other side did. An event is handled before the next one is read, so what it leads to holds for the next. */
export type PsomEvent =
  | { readonly kind: 'connected'; readonly object: DistributedObject }
  | { readonly kind: 'disconnected'; readonly object: DistributedObject; readonly reason: DisconnectReason }
  | {
      readonly kind: 'called';
      readonly object: DistributedObject;
      readonly method: string;
      readonly parameters: readonly ParameterValue[];
      /** Of the parameters, as they came. */
      readonly bytes: number;
    }
  | { readonly kind: 'pong'; readonly cookie: number }
  | { readonly kind: 'failed'; readonly fault: PsomFault };

export interface PsomPeerOptions {
  readonly side: 'client' | 'server';
  /** Of the object that both sides have from the start. */
  readonly root: DistributedInterface;
  /** What the other side may connect. */
  readonly interfaces: readonly DistributedInterface[];
  readonly limits: PsomLimits;
}

type Connect = Extract<Operation, { kind: 'connect' }>;
type Call = Extract<Operation, { kind: 'call' }>;

/**
 * One side of a PSOM connection after it was joined: a tree of distributed objects, and calls on them (docs/protocols/psom.md).
 * Sans-IO: bytes and `now` in, events out; what is to be sent waits in `takeOutput`.
 */
export class PsomPeer {
  readonly #options: PsomPeerOptions;
  readonly #known: ReadonlyMap<string, DistributedInterface>;
  readonly #reader: FrameReader;
  readonly #objects: ObjectTable;
  #output: Uint8Array[] = [];
  #outputBytes = 0;
  #fault: PsomFault | undefined;

  constructor(options: PsomPeerOptions) {
    this.#options = options;
    this.#known = new Map(options.interfaces.map((one) => [one.name, one]));
    this.#reader = new FrameReader(options.limits);
    this.#objects = new ObjectTable(options.root, options.side, options.limits.objects);
  }
  get root(): DistributedObject {
    return this.#objects.root;
  }
  /** Set once: nothing more is read or written. */
  get fault(): PsomFault | undefined {
    return this.#fault;
  }
  /** Of `takeOutput`: whoever writes bounds it. */
  get outputBytes(): number {
    return this.#outputBytes;
  }
  get objectCount(): number {
    return this.#objects.size;
  }

  *handleBytes(bytes: Uint8Array, now: Monotonic): Generator<PsomEvent> {
    if (this.#fault !== undefined) return;
    for (const body of this.#reader.push(bytes, now)) {
      const operation = decodeOperation(body);
      if (operation === undefined) this.#fail('malformed');
      else {
        const led = this.#handleOperation(operation);
        if (Array.isArray(led)) yield* led;
        else if (led !== undefined) yield led;
      }
      if (this.#fault !== undefined) break;
    }
    yield* this.#handleFault(this.#reader.fault);
  }
  /** To be called from time to time: a frame that began must end. */
  *handleTime(now: Monotonic): Generator<PsomEvent> {
    if (this.#fault !== undefined || !this.#reader.isLate(now)) return;
    yield* this.#handleFault('frame-too-slow');
  }

  /** Connects a child of an open object; undefined when that is gone or there is no room for another. */
  connect(
    parent: DistributedObject,
    name: string,
    declared: DistributedInterface,
  ): DistributedObject | undefined {
    if (!this.#isOpen(parent) || this.#objects.full) return undefined;
    const { serverHash, clientHash, version, name: interfaceName } = declared;
    const entry = this.#objects.add(this.#objects.allocate(), name, parent, declared);
    const { proxy } = entry;
    const about = { interface: interfaceName, version, serverHash, clientHash };
    this.#send(encodeOperation({ kind: 'connect', parent: parent.proxy, proxy, name, ...about }));
    return entry;
  }
  /** Disconnects an object and all below it; nothing when it is gone already. @throws RangeError for the root */
  disconnect(object: DistributedObject, reason: Exclude<DisconnectReason, 'confirmed'> = 'closed'): void {
    if (object.proxy === ROOT_PROXY) throw new RangeError('the root stays for as long as the connection');
    if (!this.#isOpen(object)) return;
    this.#objects.close(object);
    this.#send(encodeOperation({ kind: 'disconnect', proxy: object.proxy, reason }));
  }
  /** Calls a method of the other side; false when the object is gone. @throws RangeError for what has no place in a frame */
  call(object: DistributedObject, method: string, parameters: readonly ParameterValue[]): boolean {
    if (!this.#isOpen(object)) return false;
    const theirs = object.interface.numbered[this.#options.side === 'client' ? 'server' : 'client'];
    const found = theirs.byName.get(method);
    if (found === undefined) throw new RangeError(`${object.interface.name} has no ${method} on that side`);
    const { number, types } = found;
    this.#send(encodeCall(object.proxy, number, (writer) => writeParameters(writer, types, parameters)));
    return true;
  }
  /** Calls a method of the client that many are called by; false when the object is gone. @throws TypeError for another object's */
  callShared(object: DistributedObject, call: SharedCall): boolean {
    if (!this.#isOpen(object)) return false;
    if (object.interface !== call.declared) throw new TypeError(`a call of ${call.declared.name}`);
    this.#send(call.frame(object.proxy));
    return true;
  }
  /** The methods of the other side as functions. */
  stub<M extends Methods>(object: DistributedObject, methods: M): Stub<M> {
    const calls = Object.keys(methods).map((method) => [
      method,
      (...parameters: readonly ParameterValue[]) => this.call(object, method, parameters),
    ]);
    return Object.fromEntries(calls) as Stub<M>;
  }
  ping(cookie: number): void {
    if (this.#fault === undefined) this.#send(encodeOperation({ kind: 'ping', cookie }));
  }
  /** Frames to write, in order; they are the caller's from now on. */
  takeOutput(): Uint8Array[] {
    const output = this.#output;
    this.#output = [];
    this.#outputBytes = 0;
    return output;
  }

  /** What has happened by it, if anything. */
  #handleOperation(operation: Operation): PsomEvent | PsomEvent[] | undefined {
    switch (operation.kind) {
      case 'connect':
        return this.#handleConnect(operation);
      case 'disconnect':
        return this.#handleDisconnect(operation.proxy, operation.reason);
      case 'call':
        return this.#handleCall(operation);
      case 'ping':
        return this.#send(encodeOperation({ kind: 'pong', cookie: operation.cookie }));
      case 'pong':
        return { kind: 'pong', cookie: operation.cookie };
      default:
        return this.#fail('unexpected-operation');
    }
  }

  #handleConnect(operation: Connect): PsomEvent | undefined {
    const { proxy, name } = operation;
    const parent = this.#objects.find(operation.parent);
    const ours = this.#options.side === 'client' ? 1 : 0;
    if (parent === undefined) return this.#fail('unknown-object');
    if (proxy === ROOT_PROXY || proxy % 2 === ours) return this.#fail('identifier-of-other-side');
    if (this.#objects.find(proxy) !== undefined) return this.#fail('identifier-taken');
    if (name.length > this.#options.limits.nameLength) return this.#fail('name-too-long');
    if (this.#objects.full) return this.#fail('too-many-objects');
    const declared = this.#known.get(operation.interface);
    const entry = this.#objects.add(proxy, name, parent, declared ?? this.#objects.root.interface);
    // The parent is about to go, and its child goes with it: the other side learns of both at once.
    if (!parent.open) {
      entry.open = false;
      return undefined;
    }
    const refusal = this.#refusal(operation, declared, entry);
    if (refusal === undefined) return { kind: 'connected', object: entry };
    this.disconnect(entry, refusal);
    return undefined;
  }
  #refusal(
    operation: Connect,
    declared: DistributedInterface | undefined,
    entry: ObjectEntry,
  ): Exclude<DisconnectReason, 'confirmed'> | undefined {
    if (declared === undefined) return 'unknown-interface';
    const same =
      declared.version === operation.version &&
      declared.serverHash === operation.serverHash &&
      declared.clientHash === operation.clientHash;
    if (!same) return 'other-interface';
    return entry.depth > this.#options.limits.depth ? 'too-deep' : undefined;
  }

  #handleDisconnect(proxy: number, reason: DisconnectReason): PsomEvent[] | undefined {
    const entry = this.#objects.find(proxy);
    if (entry === undefined || proxy === ROOT_PROXY) return this.#fail('unknown-object');
    if (entry.open && reason === 'confirmed') return this.#fail('unexpected-operation');
    // When both sides disconnect it at the same time, each takes the other's word for the confirmation.
    if (entry.open) this.#send(encodeOperation({ kind: 'disconnect', proxy, reason: 'confirmed' }));
    const closed = this.#objects.close(entry);
    this.#objects.free(entry);
    return closed.map((object) => ({ kind: 'disconnected', object, reason }));
  }

  #handleCall({ proxy, method, parameters }: Call): PsomEvent | undefined {
    const object = this.#objects.find(proxy);
    if (object === undefined) return this.#fail('unknown-object');
    // It was under way when we disconnected the object.
    if (!object.open) return undefined;
    const called = object.interface.numbered[this.#options.side].byNumber[method];
    if (called === undefined) return this.#fail('unknown-method');
    const values = readParameters(parameters, called.types);
    if (values === undefined) return this.#fail('wrong-parameters');
    return { kind: 'called', object, method: called.name, parameters: values, bytes: parameters.length };
  }

  *#handleFault(frame: FrameFault | undefined): Generator<PsomEvent> {
    if (frame !== undefined) this.#fail(frame);
    if (this.#fault === undefined) return;
    for (const object of this.#objects.close(this.#objects.root)) {
      if (object.proxy !== ROOT_PROXY) yield { kind: 'disconnected', object, reason: 'closed' };
    }
    yield { kind: 'failed', fault: this.#fault };
  }
  #fail(fault: PsomFault): undefined {
    this.#fault ??= fault;
  }
  #isOpen(object: DistributedObject): object is ObjectEntry {
    return this.#fault === undefined && object.open && this.#objects.owns(object);
  }
  #send(frame: Uint8Array): undefined {
    this.#output.push(frame);
    this.#outputBytes += frame.length;
  }
}
