import { AttributeType, ErrorCode, encodeXorAddress } from '#protocols/stun';
import { answerUnproven, knownAttributes, refuseUnproven } from './answers.ts';
import type { RelayState } from './relay-state.ts';
import type { TurnRequest } from './turn-request.ts';

/** RFC 8489 §3, §6.3.1: a client learns its own address. */
export function handleBinding(state: RelayState, request: TurnRequest): void {
  const unknown = request.message.unknownRequired(knownAttributes);
  if (unknown.length > 0) {
    refuseUnproven(state, request, ErrorCode.UnknownAttribute, unknown);
    return;
  }
  answerUnproven(state, request, (writer) => {
    encodeXorAddress(writer, AttributeType.XorMappedAddress, request.address, request.port);
    state.tunnel.answerQuestion(writer, request);
  });
}
