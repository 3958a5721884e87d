/** Far longer than anything that a test waits for takes, and shorter than the deadline of the runner, which tells less. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 2;

/**
 * Waits for a state of something that nothing can be awaited of: looks again and again. Rejects with `what` (the
 * condition's own text when left out) when it does not come within a minute.
 */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string = String(holds),
): Promise<void> {
  const late = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > late) throw new Error(`did not come to pass: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
