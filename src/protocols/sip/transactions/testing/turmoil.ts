import assert from 'node:assert/strict';
import { buildResponse } from '../../messages/build.ts';
import { sipLimits } from '../../messages/limits.ts';
import { SipRequest, SipResponse } from '../../messages/message.ts';
import { parseSipMessage } from '../../messages/parse.ts';
import type { ClientTransaction } from '../client-transaction.ts';
import { TransactionLayer } from '../layer.ts';
import type { ServerTransaction } from '../server-transaction.ts';
import type { TransactionAction, TransactionFailure } from '../types.ts';
import { request } from './play.ts';

const METHODS = ['INVITE', 'ACK', 'CANCEL', 'MESSAGE', 'BYE'];
const SENDABLE = ['INVITE', 'MESSAGE', 'OPTIONS'];
const BRANCHES = ['z9hG4bK-a', 'z9hG4bK-b', 'z9hG4bK-c', 'old', null];
const TO_TAGS = [undefined, 'uas', 'peer'];
const STATUSES = [100, 180, 200, 202, 302, 401, 486, 503, 603];
const WAITS = [0, 1, 199, 500, 3500, 5000, 32_000, 185_000];
const FLOWS = 3;
const LIMITS = { server: 4, client: 3 };
/** Longer than anything may last: Timer C, 64 * T1 after its CANCEL, and our own silence. */
const LONG_ENOUGH = 600_000;

/** Every message that the steps below use, parsed once. */
const requests = METHODS.map((method) =>
  BRANCHES.map((branch) =>
    TO_TAGS.map((toTag) => parsed(request(method, toTag === undefined ? { branch } : { branch, toTag }))),
  ),
);

function parsed(bytes: Buffer): SipRequest {
  const message = parseSipMessage(bytes, sipLimits);
  assert(message.ok && message.value instanceof SipRequest);
  return message.value;
}

/** Messages are made once for all runs: building and parsing them is not what is tested here. */
const ownRequest = remembered((method: string, branch: string) => parsed(request(method, { branch })));
const ownResponse = remembered((method: string, branch: string, status: number) => {
  const response = parseSipMessage(buildResponse(ownRequest(method, branch), status), sipLimits);
  assert(response.ok && response.value instanceof SipResponse);
  return response.value;
});
const answers = new WeakMap<SipRequest, Map<number, Buffer>>();

function answerTo(request: SipRequest, status: number): Buffer {
  const known = answers.get(request) ?? new Map<number, Buffer>();
  answers.set(request, known);
  const bytes = known.get(status) ?? buildResponse(request, status, { toTag: 'uas' });
  known.set(status, bytes);
  return bytes;
}
function remembered<Of extends unknown[], What>(make: (...of: Of) => What): (...of: Of) => What {
  const known = new Map<string, What>();
  return (...of) => {
    const key = of.join(' ');
    const value = known.get(key) ?? make(...of);
    known.set(key, value);
    return value;
  };
}

/**
 * Drives a layer by numbers, in any order that they say, and checks after each step what must always hold: no
 * exception, no table beyond its bound, no transaction told of its end twice.
 */
export class Turmoil {
  readonly #layer: TransactionLayer;
  readonly #ended = new Set<unknown>();
  readonly #failed = new Set<unknown>();
  readonly #answered = new Set<unknown>();
  #servers: ServerTransaction[] = [];
  #clients: ClientTransaction[] = [];
  #now = 0;
  #sent = 0;

  constructor(reliable: boolean) {
    this.#layer = new TransactionLayer({ limits: LIMITS, reliable: () => reliable });
  }

  /** Any three numbers make a step. */
  step(what: number, first: number, second: number): void {
    switch (what % 8) {
      case 0:
      case 1:
        this.#arrives(pick(pick(pick(requests, first), second), first >> 4), first >> 6);
        break;
      case 2:
        this.#answer(first, pick(STATUSES, second));
        break;
      case 3:
        this.#send(pick(SENDABLE, first), second);
        break;
      case 4:
        this.#isAnswered(first, pick(STATUSES, second));
        break;
      case 5:
        if (this.#clients.length > 0)
          this.#perform(this.#layer.cancel(pick(this.#clients, first), this.#now));
        break;
      case 6:
        this.#wait(pick(WAITS, first));
        break;
      default:
        // Rarer than the others, since it clears the stage.
        if (second % 4 === 0) this.#perform(this.#layer.handleFlowClosed(first % FLOWS, this.#now));
    }
    this.#check();
  }

  /** A message as it may come from anywhere. */
  receives(bytes: Buffer): void {
    const message = parseSipMessage(bytes, sipLimits);
    if (!message.ok) return;
    if (message.value instanceof SipRequest) this.#arrives(message.value, 0);
    else this.#handleResponse(message.value);
    this.#check();
  }

  /** However it stands, time alone must empty both tables. */
  drains(): void {
    this.#wait(LONG_ENOUGH);
    assert.deepEqual(this.#layer.counts, { server: 0, client: 0 });
    assert.equal(this.#layer.deadline(), undefined);
    for (const transaction of [...this.#servers, ...this.#clients]) {
      assert.equal(transaction.state, 'terminated');
      assert(this.#ended.has(transaction));
    }
    for (const client of this.#clients) {
      assert(
        this.#answered.has(client) !== this.#failed.has(client),
        'a final response or a failure, not both',
      );
    }
  }

  #arrives(message: SipRequest, flow: number): void {
    const outcome = this.#layer.handleRequest(message, flow % FLOWS, this.#now);
    if (outcome.type === 'absorbed') this.#perform(outcome.actions);
    if (outcome.type === 'new' || outcome.type === 'cancel') this.#servers.push(outcome.transaction);
  }
  #answer(which: number, status: number): void {
    if (this.#servers.length === 0) return;
    const transaction = pick(this.#servers, which);
    const bytes = answerTo(transaction.request, status);
    this.#perform(this.#layer.respond(transaction, status, bytes, this.#now));
  }
  #send(method: string, flow: number): void {
    const branch = `z9hG4bK-sent-${this.#sent++}`;
    const { bytes } = ownRequest(method, branch);
    const user = {
      onResponse() {},
      onFailure: (_cause: TransactionFailure) => assert.fail('the layer itself never calls its users'),
    };
    const outcome = this.#layer.request({ method, branch, bytes, flow: flow % FLOWS }, user, this.#now);
    if (outcome.type === 'refused') return;
    this.#clients.push(outcome.transaction);
    this.#perform(outcome.actions);
  }
  #isAnswered(which: number, status: number): void {
    if (this.#clients.length === 0) return;
    const { method, branch } = pick(this.#clients, which);
    // Now and then it is the CANCEL that is answered.
    const answered = method === 'INVITE' && which % 3 === 0 ? 'CANCEL' : method;
    this.#handleResponse(ownResponse(answered, branch, status));
  }
  #handleResponse(response: SipResponse): void {
    const outcome = this.#layer.handleResponse(response, 0, this.#now);
    this.#perform(outcome.actions);
    if (outcome.type !== 'response' || response.status < 200) return;
    const { transaction } = outcome;
    const again = this.#answered.has(transaction);
    assert(
      !again || (transaction.method === 'INVITE' && response.status < 300),
      'one final response but for 2xx',
    );
    this.#answered.add(transaction);
  }
  #wait(ms: number): void {
    const end = this.#now + ms;
    for (let due = this.#layer.deadline(); due !== undefined && due <= end; due = this.#layer.deadline()) {
      assert(due >= this.#now, 'a deadline lies in the past');
      this.#now = due;
      this.#perform(this.#layer.handleTimeouts(this.#now));
    }
    this.#now = end;
  }

  #perform(actions: readonly TransactionAction[]): void {
    for (const action of actions) {
      if (action.type === 'send') {
        assert(action.bytes.length > 0);
        continue;
      }
      const seen = action.type === 'ended' ? this.#ended : this.#failed;
      assert(!seen.has(action.transaction), `${action.type} twice`);
      assert(!this.#ended.has(action.transaction) || action.type === 'ended', 'nothing comes after the end');
      seen.add(action.transaction);
    }
  }
  #check(): void {
    const { server, client } = this.#layer.counts;
    assert(server <= LIMITS.server, 'server table beyond its bound');
    assert(client <= LIMITS.client * 2, 'client table beyond its bound');
  }
}

function pick<T>(from: readonly T[], index: number): T {
  const picked = from[index % from.length];
  assert(picked !== undefined);
  return picked;
}
