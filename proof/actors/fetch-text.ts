/** The body of an HTTP answer; throws unless it is 200. */
export async function fetchText({ url }: { url: string }): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status}`);
  return answer.text();
}
