import { ErrorCode, MessageClass, Method, sameAsText } from '#protocols/stun';
import { handleAllocate } from './allocate.ts';
import type { Allocation } from './allocation.ts';
import { refuse, refusedAsUnknown } from './answers.ts';
import { authenticate } from './authentication.ts';
import { handleBinding } from './binding.ts';
import { handleSend } from './data-path.ts';
import type { TurnDrop } from './drops.ts';
import { handleConnect, handleConnectionBind } from './peer-connections.ts';
import { handleChannelBind, handleCreatePermission } from './permissions.ts';
import { handleRefresh } from './refresh.ts';
import type { RelayState } from './relay-state.ts';
import type { ProvenRequest, TurnRequest } from './turn-request.ts';

/**
 * One message of the standard dialect, to whoever handles its method.
 * @param allocation of its 5-tuple, if there is one
 */
export function handleTurnMessage(
  state: RelayState,
  request: TurnRequest,
  allocation: Allocation | undefined,
): void {
  if (request.message.messageClass === MessageClass.Request) handleRequest(state, request, allocation);
  else {
    const reason = handleOther(state, request, allocation);
    if (reason !== undefined) state.drop(reason);
  }
}

/** Indications, and what a client has no business to send. */
function handleOther(
  state: RelayState,
  request: TurnRequest,
  allocation: Allocation | undefined,
): TurnDrop | undefined {
  const { message, now } = request;
  if (message.method === Method.Binding && message.messageClass !== MessageClass.Indication) {
    return state.tunnel.handleAnswer(state, request) ? undefined : 'unexpected-class';
  }
  if (message.messageClass !== MessageClass.Indication) return 'unexpected-class';
  // RFC 8489 §6.3.2: a Binding indication keeps a NAT open and asks for nothing.
  if (message.method === Method.Binding) return undefined;
  if (message.method !== Method.Send) return 'unexpected-class';
  return allocation === undefined ? 'no-allocation' : handleSend(state, allocation, message, now);
}

function handleRequest(state: RelayState, request: TurnRequest, allocation: Allocation | undefined): void {
  const { method } = request.message;
  if (method === Method.Binding) {
    handleBinding(state, request);
    return;
  }
  const handler = allocationRequests.get(method);
  const other = method !== Method.Allocate && method !== Method.ConnectionBind;
  if (handler === undefined && other) {
    state.drop('unknown-method');
    return;
  }
  const proven = authenticate(state, request, allocation);
  if (proven === undefined || refusedAsUnknown(state, proven)) return;
  if (method === Method.ConnectionBind) {
    const refusal = handleConnectionBind(state, proven);
    if (refusal !== undefined) refuse(state, proven, refusal);
    return;
  }
  if (handler === undefined) handleAllocate(state, proven, allocation);
  else handleAllocationRequest(state, proven, allocation, handler);
}

/** RFC 8656 §5: every request but Allocate needs an allocation, and the username that made it. */
function handleAllocationRequest(
  state: RelayState,
  request: ProvenRequest,
  allocation: Allocation | undefined,
  handler: AllocationRequestHandler,
): void {
  if (allocation === undefined) {
    refuse(state, request, ErrorCode.AllocationMismatch);
    return;
  }
  if (!sameAsText(request.proof.username, allocation.username)) {
    refuse(state, request, ErrorCode.WrongCredentials);
    return;
  }
  if (allocation.answer === undefined) {
    state.drop('allocation-pending');
    return;
  }
  allocation.earlier = request.earlier ?? allocation.earlier;
  const refusal = handler(state, request, allocation);
  if (refusal !== undefined) refuse(state, request, refusal);
}

type AllocationRequestHandler = (
  state: RelayState,
  request: ProvenRequest,
  allocation: Allocation,
) => ErrorCode | undefined;

const allocationRequests: ReadonlyMap<number, AllocationRequestHandler> = new Map([
  [Method.Refresh, handleRefresh],
  [Method.CreatePermission, handleCreatePermission],
  [Method.ChannelBind, handleChannelBind],
  [Method.Connect, handleConnect],
]);
