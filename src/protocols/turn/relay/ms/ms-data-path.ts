import type { Monotonic } from '#kernel';
import type { Allocation } from '../allocation.ts';
import { sendToPeer } from '../data-path.ts';
import type { RelayState } from '../relay-state.ts';
import type { MsSession } from './ms-session.ts';

/** Whatever a client sends that is no control message goes to its active destination as it is. */
export function handleMsData(
  state: RelayState,
  allocation: Allocation,
  ms: MsSession,
  bytes: Uint8Array,
  now: Monotonic,
): void {
  const { active } = ms;
  if (active === undefined) {
    state.drop('ms-no-destination');
    return;
  }
  // A reload may have taken the permission away.
  if (!allocation.hasPermission(active.address, now)) {
    state.drop('no-permission');
    return;
  }
  state.counters.rawPackets++;
  sendToPeer(state, active.relay, active.address, active.port, active.own, bytes, 0, bytes.length, now);
}
