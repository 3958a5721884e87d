import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import type { LabPlan } from '../lab-plan.ts';
import { LabProgram } from '../program.ts';
import { issueCertificates } from '../set-up.ts';
import { endedWithUs } from './end-with-us.ts';
import type { Perimeter } from './perimeter.ts';

/** Last number of the second edge's addresses, where the first one has a zero less. */
const NEXT = (address: string) => address.replace(/\d+$/, (last) => String(Number(last) + 1));

/** Another edge beside the one of a perimeter, with the same front end behind it. */
export interface SecondEdge {
  readonly program: LabProgram;
  /** The perimeter as people see it who come by this edge. */
  readonly plan: LabPlan;
  readonly name: string;
}

/** Writes its document, certificates for all, and what the other two documents have to say about it; starts nothing. */
export async function secondEdge(perimeter: Perimeter): Promise<SecondEdge> {
  const { plan, files } = perimeter;
  const { folder, names } = plan;
  const name = `edge2.int.${plan.domain}`;
  const second: LabPlan = {
    ...plan,
    access: { ...plan.access, address: NEXT(plan.access.address) },
    webConferencing: { ...plan.webConferencing, address: NEXT(plan.webConferencing.address) },
    av: { ...plan.av, address: NEXT(plan.av.address) },
    internal: { ...plan.internal, address: NEXT(plan.internal.address) },
    names: { ...names, edge: name },
  };
  const authority = await issueCertificates(plan);
  await authority.issueTo(pair(folder, 'edge2-internal'), { name, hosts: [name] });
  const document = parseDocument(readFileSync(files.edgeDocument, 'utf8'));
  document.setIn(['host', 'name'], name);
  document.setIn(['host', 'stateDirectory'], 'edge2-state');
  document.setIn(['host', 'addresses'], {
    access: [second.access.address],
    webConferencing: [second.webConferencing.address],
    av: [second.av.address],
    internal: [second.internal.address],
  });
  document.setIn(['host', 'certificates', 'internal'], {
    certificate: 'edge2-internal.pem',
    key: 'edge2-internal.key',
  });
  document.setIn(['host', 'administration'], {
    socket: 'edge2.sock',
    metrics: { address: plan.metrics.address, port: plan.metrics.edge + 10 },
  });
  document.setIn(['policy', 'relay', 'allowedPeers'], [`${plan.av.address}/32`]);
  const file = join(folder, 'edge2.yaml');
  writeFileSync(file, document.toString());
  const first = parseDocument(readFileSync(files.edgeDocument, 'utf8'));
  first.setIn(['policy', 'relay', 'allowedPeers'], [`${second.av.address}/32`]);
  writeFileSync(files.edgeDocument, first.toString());
  const inside = parseDocument(readFileSync(files.internalDocument, 'utf8'));
  inside.addIn(['frontEnd', 'edges'], {
    name,
    address: second.internal.address,
    port: plan.internal.sip,
    avAuthenticationPort: plan.internal.authentication,
  });
  if (plan.meetings) inside.addIn(['webConferencing', 'edges'], { name, address: second.internal.address });
  writeFileSync(files.internalDocument, inside.toString());
  const program = new LabProgram({
    name: 'edge',
    document: file,
    socket: join(folder, 'edge2.sock'),
    log: join(folder, 'edge2.log'),
    launcher: endedWithUs('INT'),
  });
  return { program, plan: second, name };
}

function pair(folder: string, name: string) {
  return { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}
