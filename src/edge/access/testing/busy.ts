/** Keeps this process busy for so long, so that a timer of it comes late. */
export async function busy(ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end);
  await new Promise((resolve) => setTimeout(resolve, 1));
}
