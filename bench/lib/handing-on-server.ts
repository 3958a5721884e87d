import { readFileSync } from 'node:fs';
import { connect, createServer, type TLSSocket } from 'node:tls';

/*
 * The least that a SIP proxy in this runtime can be: what a client says goes to the next hop as it is, over one connection, and
 * what comes back goes to the client whose Call-ID it has. Nothing is checked, written anew or kept; what goes one way in one turn
 * of the event loop goes as one write. What it takes is what the runtime takes for what is answered behind it.
 */

const END = '\r\n\r\n';
const CALL_ID = '\r\nCall-ID: ';
const INVITE = ' INVITE\r\n';
/** No Call-ID of the load is longer, with its name. */
const LONGEST = 128;

const [folder = '.', host = '127.0.0.1', port = '0', nextHop = '', nextPort = ''] = process.argv.slice(2);
const file = (name: string) => readFileSync(`${folder}/${name}`);
const clients = new Map<string, TLSSocket>();

/** What leaves at the end of this turn. */
const leaving = new Map<TLSSocket, string>();
function send(socket: TLSSocket, text: string): void {
  if (leaving.size === 0) setImmediate(flush);
  leaving.set(socket, (leaving.get(socket) ?? '') + text);
}
function flush(): void {
  for (const [socket, text] of leaving) socket.write(text, 'latin1');
  leaving.clear();
}

const inside = connect({
  host: nextHop,
  port: Number(nextPort),
  cert: file('edge.pem'),
  key: file('edge.key'),
  ca: file('ca.pem'),
  checkServerIdentity: () => undefined,
});
inside.setNoDelay(true);
let rest = '';
// Answers have no bodies here.
inside.on('data', (chunk: Buffer) => {
  const text = rest + chunk.toString('latin1');
  let start = 0;
  for (let end = text.indexOf(END); end >= 0; end = text.indexOf(END, start)) {
    const answer = text.slice(start, end + END.length);
    start = end + END.length;
    const { id } = callId(answer, 0);
    const client = clients.get(id);
    if (client !== undefined) send(client, answer);
    // More comes of an INVITE, up to the answer of its BYE.
    if (!answer.includes(INVITE)) clients.delete(id);
  }
  rest = text.slice(start);
});

const server = createServer({ cert: file('access.pem'), key: file('access.key') }, (socket) => {
  socket.on('error', () => {});
  let before = '';
  socket.on('data', (chunk) => {
    const text = chunk.toString('latin1');
    // A name that a read has cut in two is whole with the end of the read before.
    const seen = before + text;
    let end = 0;
    for (let call = callId(seen, 0); call.end > 0; call = callId(seen, end)) {
      clients.set(call.id, socket);
      end = call.end;
    }
    before = seen.slice(Math.max(end, seen.length - LONGEST));
    send(inside, text);
  });
});
inside.once('secureConnect', () => server.listen(Number(port), host));

/** The first Call-ID from there on that is whole; `end` is 0 when there is none. */
function callId(text: string, from: number): { id: string; end: number } {
  const at = text.indexOf(CALL_ID, from);
  const end = at < 0 ? -1 : text.indexOf('\r\n', at + CALL_ID.length);
  return end < 0 ? { id: '', end: 0 } : { id: text.slice(at + CALL_ID.length, end), end };
}
