import { createHash, randomBytes } from 'node:crypto';
import { type DataChannel, type IceServer, initLogger, PeerConnection } from 'node-datachannel';

/*
 * Two agents of libdatachannel that may only use the relay, in a process of their own: the library's threads end with the
 * process, and not before it.
 */

export interface AgentsAsked {
  readonly caller: IceServer;
  readonly callee: IceServer;
  /** Sent each way. */
  readonly chunks: number;
  readonly chunkBytes: number;
}
export type AgentsTold =
  /** Hashes of what was sent and of what came, each way; kind and address of all four candidates that were chosen. */
  | { readonly sums: readonly (readonly [string, string])[]; readonly candidates: readonly string[] }
  /** What the library said of a relay that it could not use. */
  | { readonly complaint: string };

const tell = (told: AgentsTold) => void process.send?.(told);

initLogger('Warning', (_level, message) => {
  if (/TURN authentication failed/i.test(message)) tell({ complaint: message });
});
process.once('message', (asked: AgentsAsked) => play(asked));

function play({ caller, callee, chunks, chunkBytes }: AgentsAsked): void {
  const [one, other] = [agent('caller', caller), agent('callee', callee)];
  introduce(one, other);
  const ends: End[] = [];
  const opened = (channel: DataChannel) => {
    ends.push(new End(channel, () => finish()));
    if (ends.length === 2) for (const end of ends) end.send(chunks, chunkBytes);
  };
  const finish = () => {
    const [a, b] = ends;
    if (a === undefined || b === undefined) return;
    if (a.octets < chunks * chunkBytes || b.octets < chunks * chunkBytes) return;
    const candidates = [one, other].flatMap((connection) => {
      const pair = connection.getSelectedCandidatePair();
      return pair === null ? [] : [pair.local, pair.remote].map(({ type, address }) => `${type} ${address}`);
    });
    const sums = [
      [a.sent.digest('hex'), b.heard.digest('hex')],
      [b.sent.digest('hex'), a.heard.digest('hex')],
    ] as const;
    tell({ sums, candidates });
  };
  other.onDataChannel((channel) => opened(channel));
  const ours = one.createDataChannel('bulk');
  ours.onOpen(() => opened(ours));
}

function agent(name: string, server: IceServer): PeerConnection {
  return new PeerConnection(name, { iceServers: [server], iceTransportPolicy: 'relay' });
}

/** Each gets the other's description and candidates as they come. */
function introduce(one: PeerConnection, other: PeerConnection): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.onLocalDescription((sdp, type) => to.setRemoteDescription(sdp, type));
    from.onLocalCandidate((candidate, mid) => to.addRemoteCandidate(candidate, mid));
  }
}

/** One end of the channel. */
class End {
  octets = 0;
  readonly sent = createHash('sha256');
  readonly heard = createHash('sha256');
  readonly #channel: DataChannel;

  constructor(channel: DataChannel, heardSome: () => void) {
    this.#channel = channel;
    channel.onMessage((message) => {
      const bytes = Buffer.from(message as Buffer);
      this.heard.update(bytes);
      this.octets += bytes.length;
      heardSome();
    });
  }
  send(chunks: number, chunkBytes: number): void {
    for (let n = 0; n < chunks; n += 1) {
      const chunk = randomBytes(chunkBytes);
      this.sent.update(chunk);
      this.#channel.sendMessageBinary(chunk);
    }
  }
}
