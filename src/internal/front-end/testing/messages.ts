import assert from 'node:assert/strict';
import { buildRequest, parseSipMessage, type SipRequest, sipLimits } from '#protocols/sip';

export interface RequestSketch {
  readonly method?: string;
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}

/** A parsed request for tests; whatever is not said is what a plain client would write. */
export function request(sketch: RequestSketch = {}): SipRequest {
  const method = sketch.method ?? 'REGISTER';
  const from = sketch.from ?? 'sip:alice@example.test';
  const bytes = buildRequest({
    method,
    uri: sketch.uri ?? 'sip:example.test',
    headers: [
      ['Via', 'SIP/2.0/TLS 127.0.0.1:40000;branch=z9hG4bKtest1;rport'],
      ['Max-Forwards', '70'],
      ['From', `<${from}>;tag=f1`],
      ['To', sketch.to ?? `<${from}>`],
      ['Call-ID', sketch.callId ?? 'call-1'],
      ['CSeq', `${sketch.cseq ?? 1} ${method}`],
      ...(sketch.headers ?? []),
    ],
    body: sketch.body,
  });
  const parsed = parseSipMessage(bytes, sipLimits);
  assert.ok(parsed.ok && parsed.value.kind === 'request', JSON.stringify(parsed));
  return parsed.value;
}
