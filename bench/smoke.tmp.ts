import { ADDRESSES, BenchFolder } from './lib/bench-folder.ts';
import { startCoturn } from './lib/coturn-server.ts';
import { startEdge } from './lib/edge-server.ts';
import { LoadProcess } from './lib/load-process.ts';
import { stopAll } from './lib/pinned-process.ts';

const folder = await BenchFolder.create();
try {
  const load = await LoadProcess.start<any, any>(import.meta.dirname + '/lib/turn-load-process.ts', [
    folder.path,
  ]);
  const edge = await startEdge(folder, (process.env['EDGE_NODE'] ?? '').split(' ').filter(Boolean));
  const coturn = await startCoturn(folder);
  const targets: any[] = [
    ['edge', edge.pid, ADDRESSES.external],
    ['coturn', coturn.pid, ADDRESSES.peerServer],
  ];
  for (const [kind, rate] of [
    ['echo', 10000],
    ['echo', 20000],
    ['echo', undefined],
    ['switched', 10000],
    ['switched', undefined],
  ] as any[])
    for (const rep of [0, 1])
      for (const [name, pid, server] of targets) {
        try {
          const f = await load.play({
            server,
            pid,
            kind,
            rate,
            flows: 200,
            payloadBytes: 172,
            warmMs: 1000,
            ms: 2000,
            underWay: 2,
          });
          console.log(
            kind,
            rate ?? 'sat',
            name,
            Math.round(f.relayed / f.seconds),
            'rel/s',
            Math.round(f.relayed / f.processorSeconds),
            'rel/cpu-s',
            ((1e6 * f.processorSeconds) / f.relayed).toFixed(1),
            'us',
            'lost',
            f.lost,
            'of',
            f.sent,
            'cpu',
            (f.processorSeconds / f.seconds).toFixed(2),
            'load',
            (f.loadProcessorSeconds / f.seconds).toFixed(2),
          );
        } catch (e) {
          console.log(kind, name, String(e));
        }
      }
} finally {
  await stopAll();
  folder.remove();
}
