import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { Command } from 'commander';
import { catalogue, err, type Failure, failure, ok, type Result } from '#kernel';
import type { EdgeDocument } from '#platform/topology';
import { parseMediaKeyRing, RingTokenIssuer } from '#protocols/credentials';
import { MsProbe } from '../av-test/ms-probe.ts';
import { type Probe, RelayProbe } from '../av-test/relay-probe.ts';
import { type ProbeTarget, type ProbeTransport, probeTransports } from '../av-test/wire.ts';
import { plannedDocument } from '../planned-document.ts';
import { exitStatus, printable, type Session, table } from '../terminal.ts';
import { addAvOperation } from './av-operation.ts';

const USUAL_DOCUMENT = '/etc/sallyport/edge.yaml';
/** Long enough for the test, of no use to anybody after it. */
const TOKEN_MS = 5 * 60_000;

/** `sallyport av`: what the relay does, and a test that relays through every transport and family, as clients on both sides would. */
export function addAv(root: Command, session: Session): void {
  const av = root.command('av').description('the media relay of this host');
  av.command('test')
    .description('mint a credential and relay through every transport and family, from both interfaces')
    .argument('[document]', 'the edge.yaml', USUAL_DOCUMENT)
    .action((file: string) => test(session, file));
  addAvOperation(av, session);
}

interface Trial {
  readonly face: 'external' | 'internal';
  readonly target: ProbeTarget;
  /** The same face by UDP: the other end of the call. */
  readonly peer: ProbeTarget;
}

async function test(session: Session, file: string): Promise<void> {
  const document = plannedDocument(session, file);
  if (document === undefined) return;
  const trials = trialsOf(document);
  if (!trials.ok) {
    complain(session, trials.error);
    return;
  }
  const rows: string[][] = [['INTERFACE', 'TRANSPORT', 'ADDRESS', 'PORT', 'RESULT']];
  const failures: Failure[] = [];
  for (const trial of trials.value) {
    const { transport, address, port } = trial.target;
    const result = await play(trial);
    rows.push([trial.face, transport, address, String(port), result.ok ? 'ok' : result.error.code]);
    if (!result.ok) failures.push(result.error);
  }
  session.terminal.out(table(rows));
  for (const why of failures) complain(session, why);
}

/** A call between two allocations: over the transport to be tested, and over UDP at the same interface. */
async function play({ target, peer }: Trial): Promise<Result<void>> {
  const [one, two] = [probeOf(target), probeOf(peer)];
  try {
    const mine = await one.allocate();
    if (!mine.ok) return mine;
    const theirs = await two.allocate();
    if (!theirs.ok) return theirs;
    for (const [probe, to] of [
      [one, theirs.value],
      [two, mine.value],
    ] as const) {
      const connected = await probe.connect(to);
      if (!connected.ok) return connected;
    }
    one.send(theirs.value, 'there');
    const there = await two.hears('there');
    if (!there.ok) return there;
    two.send(mine.value, 'back');
    return await one.hears('back');
  } finally {
    await Promise.all([one.close(), two.close()]);
  }
}

function probeOf(target: ProbeTarget): Probe {
  return isMicrosoft(target.transport) ? new MsProbe(target) : new RelayProbe(target);
}
function isMicrosoft(transport: ProbeTransport): boolean {
  return transport === 'ms-udp' || transport === 'pseudo-tls';
}

function trialsOf(document: EdgeDocument): Result<Trial[]> {
  const { host, policy } = document;
  const { keyFile } = policy.mediaCredentials;
  let text: Buffer;
  try {
    text = readFileSync(keyFile);
  } catch (error) {
    return err(
      failure('SLP-AV-0203', `${keyFile}: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`),
    );
  }
  const ring = parseMediaKeyRing(text);
  if (!ring.ok) return ring;
  const wall = Date.now();
  const { username, password } = new RingTokenIssuer(ring.value).issue(
    'sallyport av test',
    wall + TOKEN_MS,
    wall,
  );
  const sides = [
    { face: 'external', addresses: host.addresses.av, name: policy.names.av },
    { face: 'internal', addresses: host.addresses.internal, name: host.name },
  ] as const;
  return ok(
    sides.flatMap(({ face, addresses, name }) =>
      addresses
        .filter((address) => hasRelay(document, address))
        .flatMap((address) =>
          transportsAt(address).map((transport): Trial => {
            const common = { address, name, username, password };
            const peer = { ...common, transport: 'udp', port: policy.ports.avUdp } as const;
            const port = isOverUdp(transport) ? policy.ports.avUdp : policy.ports.avTcp;
            return { face, target: { ...common, transport, port }, peer };
          }),
        ),
    ),
  );
}

/** The older dialect has no allocations over IPv6. */
function transportsAt(address: string): readonly ProbeTransport[] {
  return isIPv6(address) ? probeTransports.filter((transport) => !isMicrosoft(transport)) : probeTransports;
}
function isOverUdp(transport: ProbeTransport): boolean {
  return transport === 'udp' || transport === 'ms-udp';
}

/** Clients of a family are relayed in that family, where the A/V Edge service has an address of it outside. */
function hasRelay({ host }: EdgeDocument, address: string): boolean {
  return host.addresses.av.some((relay) => isIPv6(relay) === isIPv6(address));
}

function complain(session: Session, { code, message }: Failure): void {
  session.terminal.error(printable(`${code} ${message}`));
  session.terminal.error(`  ${catalogue[code].remedy}`);
  session.finish(exitStatus.failed);
}
