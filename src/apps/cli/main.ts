import { runCommandLine } from './index.ts';

const args = process.argv.slice(2);
/** These run on when nobody reads what they say any more: they have connections to look after. */
const isServer = args[0] === 'edge' || args[0] === 'internal';

// A reader that has had enough, such as `head`, ends other commands without a fuss.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isServer) process.exit(0);
  });
}

process.exitCode = await runCommandLine(args, {
  out: (text) => void process.stdout.write(`${text}\n`),
  error: (text) => void process.stderr.write(`${text}\n`),
});
