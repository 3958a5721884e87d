import type { DatagramCounters } from './datagrams.ts';

export function zeroCounters(): DatagramCounters {
  return {
    received: 0,
    receivedBytes: 0,
    sent: 0,
    sentBytes: 0,
    queueFull: 0,
    unread: 0,
    errors: { refused: 0, unreachable: 0, 'too-big': 0, 'not-permitted': 0, 'no-buffers': 0, other: 0 },
  };
}
