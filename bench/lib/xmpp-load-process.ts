import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { ADDRESSES, NAMES } from './bench-folder.ts';
import { processorSeconds, residentBytes } from './processor-time.ts';
import { MessageCount, openComponent, openGateway, openPartner } from './xmpp-wire.ts';

/** One round, asked of the load process. */
export interface XmppRound {
  readonly server: { readonly host: string; readonly port: number };
  /** Where the messages end. */
  readonly end:
    | { readonly kind: 'gateway'; readonly host: string; readonly port: number }
    | { readonly kind: 'component'; readonly host: string; readonly port: number; readonly secret: string };
  /** The domain that they are for. */
  readonly to: string;
  /** Root of the process tree whose processor time and memory count. */
  readonly pid: number;
  readonly partners: number;
  readonly streamsEach: number;
  /** Messages under way in all; 0: nothing is sent, and the memory of the streams is what counts. */
  readonly underWay: number;
  readonly warmMs: number;
  readonly ms: number;
}

export interface XmppFigures {
  readonly completed: number;
  readonly seconds: number;
  /** Of the server. */
  readonly processorSeconds: number;
  /** Of the server, before the streams were opened and with them. */
  readonly residentBefore: number;
  readonly residentAfter: number;
}

const folder = process.argv[2] ?? '.';
const identity = (name: string, localAddress: string) => ({
  certificate: `${folder}/${name}.pem`,
  key: `${folder}/${name}.key`,
  localAddress,
});
const BODY = 'The quick brown fox jumps over the lazy dog, and then it does so again.';

process.on('disconnect', () => process.exit());
process.on('message', (round: XmppRound) => {
  play(round).then(
    (figures) => process.send?.({ figures }),
    (problem: unknown) => process.send?.({ problem: String(problem) }),
  );
});
process.send?.({ ready: true });

async function play(round: XmppRound): Promise<XmppFigures> {
  const { server, to, pid, partners, streamsEach, underWay } = round;
  let sent = 0;
  let sending = false;
  const streams: TLSSocket[] = [];
  const fill = (): void => {
    for (; sending && sent - counted.count < underWay; sent++) {
      const number = sent % streams.length;
      const from = `juliet@partner${number % partners}.${NAMES.domain}/desk`;
      streams[number]?.write(
        `<message from='${from}' to='romeo@${to}' type='chat' id='${sent}'><body>${BODY}</body></message>`,
      );
    }
  };
  const counted = new MessageCount(fill);
  const end = await openEnd(round, counted);
  const residentBefore = residentBytes(pid);
  for (let number = 0; number < partners * streamsEach; number++) {
    const domains = { from: `partner${number % partners}.${NAMES.domain}`, to };
    streams.push(await openPartner(server, identity('xmpp-partner', ADDRESSES.clients), domains));
  }
  if (underWay === 0) await delay(round.ms);
  const residentAfter = residentBytes(pid);
  let completed = 0;
  let seconds = 0;
  let used = 0;
  if (underWay > 0) {
    sending = true;
    fill();
    await delay(round.warmMs);
    const [before, processorBefore, begun] = [counted.count, processorSeconds(pid), performance.now()];
    await delay(round.ms);
    seconds = (performance.now() - begun) / 1000;
    used = processorSeconds(pid) - processorBefore;
    completed = counted.count - before;
    sending = false;
    // What is under way arrives before its connections go.
    for (let waited = 0; counted.count < sent && waited < 5000; waited += 50) await delay(50);
  }
  for (const socket of [...streams, end]) socket.destroy();
  await delay(300);
  return { completed, seconds, processorSeconds: used, residentBefore, residentAfter };
}

function openEnd({ end, to }: XmppRound, counted: MessageCount): Promise<Socket> {
  if (end.kind === 'component') return openComponent(end, to, end.secret, counted);
  const names = { own: NAMES.nextHop, edge: NAMES.edge };
  return openGateway(end, identity('next-hop', ADDRESSES.nextHop), names, counted);
}
