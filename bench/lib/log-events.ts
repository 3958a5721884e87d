import type { LogEvent } from '#protocols/log-query';

const CALLS_AN_EVENT = 8;

/** A message as the Access Edge stores it: eight of one Call-ID after one another, among many users. */
export function logEvent(number: number): LogEvent {
  const call = callOf(number);
  const [caller, callee] = [`user${(call * 7919) % 20_000}`, `user${(call * 104_729) % 20_000}`];
  const host = `192.0.2.${call % 250}`;
  const text = [
    `INVITE sip:${callee}@example.com SIP/2.0`,
    `Via: SIP/2.0/TLS ${host}:5061;branch=z9hG4bK${(number * 31).toString(36)}`,
    'Max-Forwards: 70',
    `From: <sip:${caller}@example.com>;tag=${(call * 17).toString(36)}`,
    `To: <sip:${callee}@example.com>`,
    `Call-ID: ${callId(call)}`,
    `CSeq: ${number % CALLS_AN_EVENT} INVITE`,
    `Contact: <sip:${caller}@${host}:5061;transport=tls>`,
    'User-Agent: bench',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  return {
    time: 1_790_000_000_000 + number * 5,
    sequence: number,
    node: 'edge1.example.com',
    service: 'access',
    component: 'sip',
    provider: 'Sip',
    level: 'info',
    kind: 'message',
    name: 'sip-message',
    flags: ['protocol'],
    text,
    direction: number % 2 === 0 ? 'in' : 'out',
    connection: String(call % 1000),
    local: '198.51.100.11:443',
    remote: `${host}:40404`,
    keys: {
      callId: [callId(call)],
      uri: [`${caller}@example.com`, `${callee}@example.com`],
      address: [host],
      domain: ['example.com'],
      trace: [(call * 2_654_435_761).toString(16)],
    },
  };
}
export function callOf(number: number): number {
  return Math.floor(number / CALLS_AN_EVENT);
}
export function callId(call: number): string {
  return `${(call * 48_271).toString(36)}-${call}@192.0.2.1`;
}
