import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

/** What stands between a resolver and its name server, on port 53 of an address of its own, and may keep silent. */
export interface MoodyNameServer {
  silent: boolean;
}

/**
 * Ends with the test.
 * @param place the address that is asked
 * @param server `address:port` of the name server that knows
 */
export async function startMoodyNameServer(
  t: Pick<TestContext, 'after'>,
  place: string,
  server: string,
): Promise<MoodyNameServer> {
  const mood = { silent: false };
  const [address = '', port] = server.split(':');
  const [asked, asking] = [createSocket('udp4'), createSocket('udp4')];
  const waiting = new Map<number, { readonly port: number; readonly address: string }>();
  asked.on('message', (question, from) => {
    if (mood.silent) return;
    waiting.set(question.readUInt16BE(0), from);
    asking.send(question, Number(port), address);
  });
  asking.on('message', (answer) => {
    const from = waiting.get(answer.readUInt16BE(0));
    if (from !== undefined) asked.send(answer, from.port, from.address);
  });
  asked.bind(53, place);
  await once(asked, 'listening');
  t.after(() => {
    asked.close();
    asking.close();
  });
  return mood;
}
