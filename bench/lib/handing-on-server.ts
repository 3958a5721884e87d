import { readFileSync } from 'node:fs';
import { connect, createServer, type TLSSocket } from 'node:tls';

/*
 * The least that a SIP proxy in this runtime can be: what a client says goes to the next hop as it is, over one connection, and
 * what comes back goes to the client whose Call-ID it has. Nothing is checked, written or kept. What it takes is what the runtime
 * takes for a sign-in that is answered behind it.
 */

const END = '\r\n\r\n';
const CALL_ID = '\r\nCall-ID: ';

const [folder = '.', host = '127.0.0.1', port = '0', nextHop = '', nextPort = ''] = process.argv.slice(2);
const file = (name: string) => readFileSync(`${folder}/${name}`);
const clients = new Map<string, TLSSocket>();

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
inside.on('data', (chunk: Buffer) => {
  const text = rest + chunk.toString('latin1');
  let start = 0;
  for (let end = text.indexOf(END); end >= 0; end = text.indexOf(END, start)) {
    const answer = text.slice(start, end + END.length);
    start = end + END.length;
    const id = callId(answer);
    clients.get(id)?.write(answer, 'latin1');
    clients.delete(id);
  }
  rest = text.slice(start);
});

const server = createServer({ cert: file('access.pem'), key: file('access.key') }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    clients.set(callId(chunk.toString('latin1')), socket);
    inside.write(chunk);
  });
});
inside.once('secureConnect', () => server.listen(Number(port), host));

function callId(text: string): string {
  const start = text.indexOf(CALL_ID) + CALL_ID.length;
  return text.slice(start, text.indexOf('\r\n', start));
}
