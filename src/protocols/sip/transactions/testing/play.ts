import assert from 'node:assert/strict';
import { buildRequest, buildResponse } from '../../messages/build.ts';
import { sipLimits } from '../../messages/limits.ts';
import { SipRequest, SipResponse } from '../../messages/message.ts';
import { parseSipMessage } from '../../messages/parse.ts';
import type { ClientTransaction } from '../client-transaction.ts';
import { TransactionLayer, type TransactionLayerOptions } from '../layer.ts';
import type { ServerTransaction } from '../server-transaction.ts';
import type { FlowId, TransactionAction } from '../types.ts';

/** A stage for the tests of this room: one layer, virtual time, and a record of what leaves. */
export class Play {
  now = 0;
  readonly layer: TransactionLayer;
  /** What left or happened since the last look, e.g. `INVITE`, `180`, `timeout INVITE`. */
  #record: string[] = [];
  readonly sent: Buffer[] = [];

  constructor(options: Partial<TransactionLayerOptions> = {}) {
    this.layer = new TransactionLayer({ limits: { server: 100, client: 100 }, ...options });
  }

  /** Everything since the last call; nothing is left over for the next. */
  record(): string[] {
    const record = this.#record;
    this.#record = [];
    return record;
  }
  /** Lets virtual time pass, timer by timer. */
  wait(ms: number): this {
    const end = this.now + ms;
    for (let due = this.layer.deadline(); due !== undefined && due <= end; due = this.layer.deadline()) {
      this.now = Math.max(this.now, due);
      this.#perform(this.layer.handleTimeouts(this.now));
    }
    this.now = end;
    return this;
  }
  /** A request arrives; what the layer makes of it. */
  receives(bytes: Buffer, flow: FlowId = 1): ReturnType<TransactionLayer['handleRequest']> {
    const outcome = this.layer.handleRequest(readRequest(bytes), flow, this.now);
    if (outcome.type === 'absorbed') this.#perform(outcome.actions);
    return outcome;
  }
  receivesNew(bytes: Buffer, flow: FlowId = 1): ServerTransaction {
    const outcome = this.receives(bytes, flow);
    assert.equal(outcome.type, 'new');
    assert(outcome.type === 'new');
    outcome.transaction.user = {
      onFailure: () => assert.fail('the layer itself never calls its users'),
    };
    return outcome.transaction;
  }
  answers(transaction: ServerTransaction, status: number, toTag = 'uas'): this {
    const bytes = buildResponse(transaction.request, status, { toTag });
    this.#perform(this.layer.respond(transaction, status, bytes, this.now));
    return this;
  }
  sends(bytes: Buffer, flow: FlowId = 2): ClientTransaction {
    const { method, topVia } = readRequest(bytes);
    const branch = topVia.branch ?? '';
    const user = { onResponse() {}, onFailure() {} };
    const outcome = this.layer.request({ method, branch, bytes, flow }, user, this.now);
    assert(outcome.type === 'started');
    this.#perform(outcome.actions);
    return outcome.transaction;
  }
  /** A response to something that was sent arrives. */
  isAnswered(request: Buffer, status: number, flow: FlowId = 2, toTag = 'peer'): string {
    return this.isSent(buildResponse(readRequest(request), status, { toTag }), flow);
  }
  isSent(response: Buffer, flow: FlowId = 2): string {
    const outcome = this.layer.handleResponse(readResponse(response), flow, this.now);
    this.#perform(outcome.actions);
    return outcome.type === 'stray' ? outcome.reason : outcome.type;
  }
  cancels(transaction: ClientTransaction): this {
    this.#perform(this.layer.cancel(transaction, this.now));
    return this;
  }
  closes(flow: FlowId): this {
    this.#perform(this.layer.handleFlowClosed(flow, this.now));
    return this;
  }
  isEmpty(): void {
    assert.deepEqual(this.layer.counts, { server: 0, client: 0 });
    assert.equal(this.layer.deadline(), undefined);
  }

  #perform(actions: readonly TransactionAction[]): void {
    for (const action of actions) {
      if (action.type === 'send') {
        this.sent.push(action.bytes);
        this.#record.push(firstWord(action.bytes));
      } else if (action.type !== 'ended') {
        this.#record.push(`${action.type} ${action.transaction.method}`);
      }
    }
  }
}

/** The method of a request, the status of a response. */
function firstWord(bytes: Buffer): string {
  const [first = '', second = ''] = bytes.toString('latin1').split(' ');
  return first === 'SIP/2.0' ? second : first;
}

export function readRequest(bytes: Buffer): SipRequest {
  const parsed = parseSipMessage(bytes, sipLimits);
  assert(parsed.ok && parsed.value instanceof SipRequest);
  return parsed.value;
}

export function readResponse(bytes: Buffer): SipResponse {
  const parsed = parseSipMessage(bytes, sipLimits);
  assert(parsed.ok && parsed.value instanceof SipResponse);
  return parsed.value;
}

export interface RequestFacts {
  /** `null` writes a Via without a branch. */
  readonly branch?: string | null;
  readonly sentBy?: string;
  readonly toTag?: string;
  readonly fromTag?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly uri?: string;
  readonly routes?: readonly string[];
  /** Of the sender. */
  readonly displayName?: string;
  readonly body?: string;
}

/** A request from alice to bob. */
export function request(method: string, facts: RequestFacts = {}): Buffer {
  const { branch = 'z9hG4bK-play', sentBy = 'alice.example', toTag } = facts;
  const via = `SIP/2.0/TLS ${sentBy}${branch === null ? '' : `;branch=${branch}`}`;
  return buildRequest({
    method,
    uri: facts.uri ?? 'sip:bob@example.org',
    headers: [
      ['Via', via],
      ...(facts.routes ?? []).map((route) => ['Route', route] as const),
      ['From', `${facts.displayName ?? ''}<sip:alice@example.org>;tag=${facts.fromTag ?? 'alice'}`],
      ['To', `<sip:bob@example.org>${toTag === undefined ? '' : `;tag=${toTag}`}`],
      ['Call-ID', facts.callId ?? 'play@alice.example'],
      ['CSeq', `${facts.cseq ?? 1} ${method}`],
    ],
    ...(facts.body === undefined ? {} : { body: Buffer.from(facts.body) }),
  });
}
