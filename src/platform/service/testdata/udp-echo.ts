import type { Socket } from 'node:dgram';
import type { ServiceContext, ServiceDefinition } from '../definition.ts';
import type { TestDocument } from './document.ts';
import { Misbehaving } from './misbehaving.ts';

/** Answers every datagram with `<greeting> <pid> <datagram>`. */
export const service: ServiceDefinition<TestDocument> = {
  name: 'av',
  title: 'UDP echo',
  create(context: ServiceContext) {
    const behaviour = new Misbehaving('av', context);
    const served = new Set<Socket>();
    const echoed = context.metrics.counter('sallyport_test_datagrams_total', 'Datagrams.');
    const serve = (socket: Socket) => {
      if (served.has(socket)) return;
      served.add(socket);
      socket.on('close', () => served.delete(socket));
      socket.on('message', (datagram, from) => {
        echoed.inc();
        socket.send(
          `${behaviour.document?.greeting} ${process.pid} ${String(datagram)}`,
          from.port,
          from.address,
        );
      });
    };
    return {
      provision: (document) =>
        behaviour.provision(document, () => {
          for (const { id } of context.sockets.plan())
            for (const socket of context.sockets.udp(id)) serve(socket);
        }),
      health: () => behaviour.health(),
      verbs: behaviour.verbs(),
      drain() {
        behaviour.history.push('drain');
      },
      undrain() {
        behaviour.history.push('undrain');
      },
      remaining: () => 0,
      async stop() {},
    };
  },
};
