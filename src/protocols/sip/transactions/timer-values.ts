/** RFC 3261 §17.1.1.1 base values and what bounds a transaction whose user falls silent; milliseconds. */
export interface TimerValues {
  /** Round-trip estimate, default 500. */
  readonly t1: number;
  /** Longest interval between retransmissions of a non-INVITE request or an INVITE response, default 4000. */
  readonly t2: number;
  /** Longest time a message stays in the network, default 5000. */
  readonly t4: number;
  /** Wait for retransmitted responses to INVITE over unreliable transport, at least 32000. */
  readonly d: number;
  /** RFC 3261 §16.6 step 11: an INVITE without progress for this long is cancelled; over 180000. */
  readonly c: number;
  /**
   * An INVITE that our own side leaves without any response for this long is dropped, unless its user says that it is at work;
   * above `c` + 64 * T1.
   */
  readonly silentInvite: number;
  /** How long an INVITE may wait before the layer itself says 100 Trying (RFC 3261 §17.2.1), default 200. */
  readonly trying: number;
}

export const defaultTimers: TimerValues = {
  t1: 500,
  t2: 4000,
  t4: 5000,
  d: 32_000,
  c: 185_000,
  silentInvite: 240_000,
  trying: 200,
};

/**
 * The timers of RFC 3261 §17 by their letters, for one kind of transport; 0 = at once, undefined = not used.
 */
export interface Timers {
  /** First interval of Timers A, E and G. */
  readonly retransmit: number | undefined;
  readonly t2: number;
  /** 64 * T1: Timers B, F, H, and L and M of RFC 6026 §7.1. */
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly i: number;
  readonly j: number;
  readonly k: number;
  readonly silentInvite: number;
  readonly tryingInvite: number;
  /** When Timer E of the client reaches T2: the time to say 100 to another request (RFC 4320 §4.1). */
  readonly tryingOther: number;
}

export function timersFor(reliable: boolean, values: TimerValues): Timers {
  const { t1, t2, t4 } = values;
  let tryingOther = t1;
  for (let interval = t1 * 2; interval < t2; interval *= 2) tryingOther += interval;
  return {
    retransmit: reliable ? undefined : t1,
    t2,
    b: 64 * t1,
    c: values.c,
    d: reliable ? 0 : values.d,
    i: reliable ? 0 : t4,
    j: reliable ? 0 : 64 * t1,
    k: reliable ? 0 : t4,
    silentInvite: values.silentInvite,
    tryingInvite: values.trying,
    tryingOther,
  };
}
