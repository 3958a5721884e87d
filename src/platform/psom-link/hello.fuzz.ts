import { isDeepStrictEqual } from 'node:util';
import { conferenceSigningKey } from '#protocols/tokens';
import type { FuzzTarget } from '#tools/fuzz';
import { edgeHelloHeaders, readEdgeHello, readServiceHello, serviceHelloLine } from './hello.ts';
import { Lines } from './lines.ts';

const key = conferenceSigningKey(Buffer.alloc(32, 5)).publicBytes;
const line = serviceHelloLine({ node: 'wc1.corp.example', keys: [key], clock: 1, state: 'ready' });
const SPACE = 0x20;

export const targets: readonly FuzzTarget[] = [
  {
    name: 'psom-link/service-hello',
    seeds: [Buffer.from(line), Buffer.from(line.repeat(2)), Buffer.from('{"node":1}\n[]\n')],
    run(input) {
      const [whole, pieces] = [new Lines(), new Lines()];
      const one = whole.push(Buffer.from(input));
      const other = [...input].flatMap((byte) => pieces.push(Buffer.from([byte])));
      if (!whole.broken && !isDeepStrictEqual(one, other)) throw new Error('pieces read otherwise');
      for (const text of one) {
        const said = readServiceHello(text);
        if (said === undefined) continue;
        if (said.keys.length < 1 || said.keys.length > 4) throw new Error(`${said.keys.length} keys`);
      }
    },
  },
  {
    name: 'psom-link/edge-hello',
    seeds: [
      Buffer.from('edge1.example.com conf.example.com:443 ready'),
      Buffer.from('a b:0 draining'),
      Buffer.from(`a b:1 ready ${key.toString('base64')}`),
    ],
    run(input) {
      const fields = Buffer.from(input.filter((byte) => byte >= SPACE))
        .toString('latin1')
        .split(' ');
      const [edge, place, state, keys] = fields;
      const headers = {
        'sallyport-edge': edge,
        'sallyport-place': place,
        'sallyport-state': state,
        'sallyport-keys': keys,
      };
      const said = readEdgeHello(headers);
      if (said === undefined) return;
      if (!isDeepStrictEqual(readEdgeHello(edgeHelloHeaders(said)), said)) throw new Error('says otherwise');
    },
  },
];
