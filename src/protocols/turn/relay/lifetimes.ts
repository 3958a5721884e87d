import type { Monotonic } from '#kernel';
import type { Allocation } from './allocation.ts';
import type { RelayState } from './relay-state.ts';
import type { TurnListener } from './turn-listener.ts';
import type { AllocationEnd } from './turn-sink.ts';

/** The allocation of a 5-tuple; one that is over ends here and now. */
export function liveAllocation(
  state: RelayState,
  listener: TurnListener,
  address: string,
  port: number,
  now: Monotonic,
): Allocation | undefined {
  const allocation = state.find(listener.id, address, port);
  if (allocation === undefined || allocation.expires > now) return allocation;
  expireAllocation(state, allocation, now);
  return undefined;
}

export function expireAllocation(state: RelayState, allocation: Allocation, now: Monotonic): void {
  const byCredential = allocation.credentialEnds <= now;
  endAllocation(state, allocation, now, byCredential ? 'credential-expired' : 'lifetime-expired');
}

/** One that was never answered ends without a word. */
export function endAllocation(
  state: RelayState,
  allocation: Allocation,
  now: Monotonic,
  reason: AllocationEnd,
): void {
  if (allocation.answer === undefined) state.forget(allocation, now);
  else state.close(allocation, now, reason);
}
