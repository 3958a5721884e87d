import type { CloseReason } from '#platform/net';
import type { FramerEvent } from '#protocols/sip';
import type { FlowCloseReason } from './types.ts';

/** How a connection that ended by itself is counted. */
export function fromConnection(reason: CloseReason): FlowCloseReason {
  switch (reason) {
    case 'peer-closed':
    case 'slow-reader':
    case 'idle':
    case 'limit':
    case 'policy':
    case 'shutdown':
      return reason;
    case 'local':
      return 'shutdown';
    case 'protocol':
      return 'malformed';
    default:
      return 'failed';
  }
}

/** What the connection is told about the end of its flow. */
export function toConnection(reason: FlowCloseReason): CloseReason {
  switch (reason) {
    case 'peer-closed':
    case 'slow-reader':
    case 'idle':
    case 'limit':
    case 'policy':
    case 'shutdown':
      return reason;
    case 'malformed':
    case 'too-large':
      return 'protocol';
    case 'unauthorised-bytes':
    case 'unauthorised-messages':
      return 'limit';
    case 'failed':
      return 'reset';
    default:
      return 'timeout';
  }
}

/** Why the stream could not be read on. */
export function fromFramer(reason: Extract<FramerEvent, { type: 'close' }>['reason']): FlowCloseReason {
  switch (reason) {
    case 'message-timeout':
      return 'message-timeout';
    case 'message-too-large':
    case 'start-line-too-long':
    case 'header-too-long':
    case 'too-many-headers':
      return 'too-large';
    default:
      return 'malformed';
  }
}
