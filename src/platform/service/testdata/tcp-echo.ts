import type { Socket } from 'node:net';
import type { ServiceContext, ServiceDefinition } from '../definition.ts';
import type { TestDocument } from './document.ts';
import { Misbehaving } from './misbehaving.ts';

/** Answers every chunk with `<greeting> <pid> <chunk>`. */
export const service: ServiceDefinition<TestDocument> = {
  name: 'access',
  title: 'TCP echo',
  create(context: ServiceContext) {
    const behaviour = new Misbehaving('access', context);
    const connections = new Set<Socket>();
    const accepted = context.metrics.counter('sallyport_test_accepted_total', 'Connections.');
    const onConnection = (socket: Socket) => {
      accepted.inc();
      connections.add(socket);
      socket.on('data', (chunk) =>
        socket.write(`${behaviour.document?.greeting} ${process.pid} ${String(chunk)}`),
      );
      socket.on('error', () => socket.destroy());
      socket.on('close', () => connections.delete(socket));
    };
    return {
      provision: (document) =>
        behaviour.provision(document, () => {
          for (const { id } of context.sockets.plan()) context.sockets.tcp(id, onConnection);
        }),
      health: () => behaviour.health(),
      verbs: behaviour.verbs(),
      drain() {
        behaviour.history.push('drain');
      },
      undrain() {
        behaviour.history.push('undrain');
      },
      remaining: () => connections.size,
      async stop() {
        for (const socket of connections) socket.destroy();
      },
    };
  },
};
