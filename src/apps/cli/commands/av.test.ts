import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { mediaKeyText } from '#protocols/credentials';
import { Bench } from '../../../edge/av/testing/bench.ts';
import { sallyport } from '../testing/printed.ts';

const EXTERNAL = '127.0.9.221';
const INTERNAL = '127.0.9.222';
const UDP = 3_478;
const TCP = 10_443;
/** The bench's own servers stay open until the process ends. */
let moved = 0;

/** An edge's relay that runs, and the document that the command reads. */
async function running(t: TestContext, avName = 'av.example.test'): Promise<{ bench: Bench; file: string }> {
  const [udpPort, tcpPort] = [UDP + moved, TCP + moved];
  moved += 1;
  const bench = await Bench.start({
    external: [EXTERNAL, '::1'],
    internal: [INTERNAL],
    ports: [57_800, 57_839],
    allowedPeers: [],
    udpPort,
    tcpPort,
  });
  t.after(() => bench.stop());
  const { host, policy } = bench.document;
  const file = join(host.stateDirectory, 'edge.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      version: 1,
      host: {
        name: host.name,
        stateDirectory: host.stateDirectory,
        addresses: { access: [EXTERNAL, '::1'], internal: [INTERNAL] },
        certificates: { access: host.certificates.access, internal: host.certificates.internal },
        internalCa: host.internalCa,
      },
      policy: {
        site: 'test',
        sipDomains: policy.sipDomains,
        names: { ...policy.names, av: avName },
        internalNetworks: policy.internalNetworks,
        nextHop: { name: 'fe.corp.test', members: [{ name: 'fe1.corp.test', address: '127.0.8.1' }] },
        ports: { avUdp: udpPort, avTcp: tcpPort },
        mediaCredentials: { keyFile: 'current.media' },
      },
    }),
  );
  return { bench, file };
}

test('av test relays by every transport and family, from both interfaces, and leaves nothing behind', async (t) => {
  const { bench, file } = await running(t);
  const { status, out, error } = await sallyport('av', 'test', file);
  assert.equal(status, 0, out + error);
  assert.deepEqual(
    out
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ +/).join(' ')),
    [
      `external udp ${EXTERNAL} ${UDP} ok`,
      `external tcp ${EXTERNAL} ${TCP} ok`,
      `external tls ${EXTERNAL} ${TCP} ok`,
      `external ms-udp ${EXTERNAL} ${UDP} ok`,
      `external pseudo-tls ${EXTERNAL} ${TCP} ok`,
      `external udp ::1 ${UDP} ok`,
      `external tcp ::1 ${TCP} ok`,
      `external tls ::1 ${TCP} ok`,
      `internal udp ${INTERNAL} ${UDP} ok`,
      `internal tcp ${INTERNAL} ${TCP} ok`,
      `internal tls ${INTERNAL} ${TCP} ok`,
      `internal ms-udp ${INTERNAL} ${UDP} ok`,
      `internal pseudo-tls ${INTERNAL} ${TCP} ok`,
    ],
  );
  const { allocations } = (await bench.verb('counters')) as { allocations: number };
  assert.equal(allocations, 0);
});

test('av test says what is wrong: another key, another name, nobody there', async (t) => {
  const { bench, file } = await running(t, 'media.example.test');
  const named = await sallyport('av', 'test', file);
  assert.equal(named.status, 1);
  assert.match(named.out, /external +tls +127\S+ +\d+ +SLP-AV-0404/);
  assert.match(named.out, /external +tcp +127\S+ +\d+ +ok/);
  assert.match(named.error, /SLP-AV-0404 .*media\.example\.test/);
  writeFileSync(
    join(bench.document.host.stateDirectory, 'current.media'),
    mediaKeyText(Buffer.alloc(32, 77)),
  );
  const keyed = await sallyport('av', 'test', file);
  assert.match(keyed.out, /external +udp +127\S+ +\d+ +SLP-AV-0104/);
  assert.match(keyed.error, /SLP-AV-0104 .*UDP 127/);
  assert.match(keyed.out, /external +pseudo-tls +127\S+ +\d+ +SLP-AV-0104/);
  assert.match(keyed.error, /SLP-AV-0104 .*PSEUDO-TLS 127/);
});
