/** Far longer than anything here takes; it only keeps a broken test from hanging. Milliseconds. */
const DEADLINE_MS = 60_000;
const LOOK_MS = 20;

/** Looks again and again until `holds` says true; throws with `what` and the last reason when it never does. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  let reason: unknown;
  for (;;) {
    try {
      if (await holds()) return;
    } catch (problem) {
      reason = problem;
    }
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`, { cause: reason });
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Tries again until it works, for what may be refused while a service is on its way back; gives what it gave. */
export async function eventually<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  let outcome: { readonly value: T } | undefined;
  await until(what, async () => {
    outcome = { value: await attempt() };
    return true;
  });
  if (outcome === undefined) throw new Error(what);
  return outcome.value;
}
