import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';
import { registered } from './sip-wire.ts';

/*
 * The least that a TLS server in this runtime can be: it answers each REGISTER as a registrar does and keeps nothing. What an idle
 * connection of it takes is what the runtime takes.
 */

const [folder = '.', host = '127.0.0.1', port = '0'] = process.argv.slice(2);
const server = createServer(
  { cert: readFileSync(`${folder}/access.pem`), key: readFileSync(`${folder}/access.key`) },
  (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => void socket.write(registered(chunk.toString('latin1'), 'bare'), 'latin1'));
  },
);
server.listen(Number(port), host);
