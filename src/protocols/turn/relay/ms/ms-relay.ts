import { decodeMs, MsMessageType } from '#protocols/stun';
import type { Allocation } from '../allocation.ts';
import type { RelayState } from '../relay-state.ts';
import type { TurnListener } from '../turn-listener.ts';
import { handleMsAllocate } from './ms-allocate.ts';
import { handleMsSend, handleMsSetActiveDestination } from './ms-destination.ts';

/**
 * One control message of the Microsoft dialect, known by its cookie.
 * @returns false when it is none after all
 */
export function handleMsControl(
  state: RelayState,
  client: { readonly listener: TurnListener; readonly address: string; readonly port: number },
  bytes: Uint8Array,
  now: number,
  allocation: Allocation | undefined,
): boolean {
  const decoded = decodeMs(bytes);
  if (!decoded.ok) {
    state.drop(decoded.error);
    return false;
  }
  const request = { ...client, message: decoded.value, now };
  switch (decoded.value.type) {
    case MsMessageType.AllocateRequest:
      handleMsAllocate(state, request, allocation);
      break;
    case MsMessageType.SetActiveDestinationRequest:
      handleMsSetActiveDestination(state, request, allocation);
      break;
    case MsMessageType.SendRequest: {
      const reason = handleMsSend(state, request, allocation);
      if (reason !== undefined) state.drop(reason);
      break;
    }
    default:
      // Among them the Shared Secret request, which must not be used.
      state.drop('unknown-method');
  }
  return true;
}
