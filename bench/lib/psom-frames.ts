import {
  annotationContainer,
  encodeOperation,
  meeting,
  meetingInterfaces,
  type ParameterValue,
  PsomPeer,
  uploadStream,
} from '#protocols/psom';

/** What both ends of a participant say, as real ends write it: who follows it on its way must not be spared. */
export interface PsomFrames {
  /** The service's first words: JOINED, and a stream for an upload. */
  readonly greeting: Buffer;
  /** What the participant says to that: it connects what is drawn on. */
  readonly reply: Buffer;
  /** One call of just so many octets. */
  piece(direction: 'inward' | 'outward', bytes: number): Buffer;
}

const LIMITS = { frameBytes: 65_535, frameMs: 10_000, objects: 8, depth: 4, nameLength: 64 };
/** A stroke's call without points and text, in octets: from the participant, and to it with its author. */
const HEAD = { inward: 33, outward: 41 } as const;
const WRITE_HEAD = 11;
/** A participant draws smaller strokes than this. */
const MOST_DRAWN = 2048;

export function psomFrames(): PsomFrames {
  const ends = (['client', 'server'] as const).map(
    (side) => new PsomPeer({ side, root: meeting, interfaces: meetingInterfaces, limits: LIMITS }),
  );
  const [client, server] = ends as [PsomPeer, PsomPeer];
  const drawings = client.connect(client.root, 'annotationContainer', annotationContainer);
  const stream = server.connect(server.root, 'stream.1', uploadStream);
  const reply = Buffer.concat(client.takeOutput());
  const connected = Buffer.concat(server.takeOutput());
  const theirs = { client: eventObject(client, connected), server: eventObject(server, reply) };
  if (drawings === undefined || stream === undefined) throw new Error('no object');
  const written = (peer: PsomPeer, bytes: number) => {
    const frame = Buffer.concat(peer.takeOutput());
    if (frame.length !== bytes) throw new Error(`a call of ${frame.length} octets in place of ${bytes}`);
    return frame;
  };
  return {
    greeting: Buffer.concat([encodeOperation({ kind: 'joined', resumeToken: 'r'.repeat(120) }), connected]),
    reply,
    piece(direction, bytes) {
      if (direction === 'outward') {
        server.call(theirs.server, 'cAdded', [7, ...stroke(bytes - HEAD.outward)]);
        return written(server, bytes);
      }
      if (bytes > MOST_DRAWN) client.call(theirs.client, 'sWrite', [new Uint8Array(bytes - WRITE_HEAD)]);
      else client.call(drawings, 'sAdd', stroke(bytes - HEAD.inward));
      return written(client, bytes);
    },
  };
}

/** Page, number, kind, colour, width, points and text, of which the last two take so many octets. */
function stroke(octets: number): ParameterValue[] {
  const points = Array.from({ length: octets >> 2 }, (_, at) => at % 1000);
  return [1, 1, 1, 0, 2, points, '.'.repeat(octets & 3)];
}

function eventObject(peer: PsomPeer, bytes: Uint8Array) {
  for (const event of peer.handleBytes(bytes, 0)) if (event.kind === 'connected') return event.object;
  throw new Error('nothing was connected');
}
