import type { Program, ServiceEntry } from '#platform/service';
import {
  type EdgeDocument,
  edgeListeners,
  type InternalDocument,
  internalListeners,
  loadEdgeDocument,
  loadInternalDocument,
  namedFiles,
  type ServiceName,
  serviceTitle,
} from '#platform/topology';

/** Which rooms make up which program. Each service process imports its own room and no other. */
export const edgeProgram: Program<EdgeDocument> = {
  name: 'edge',
  services: [
    entry('access', import.meta.resolve('#edge/access')),
    entry('av', import.meta.resolve('#edge/av')),
    entry('av-authentication', import.meta.resolve('#edge/av-authentication')),
  ],
  load: loadEdgeDocument,
  listeners: edgeListeners,
  host: (document) => document.host,
  files: (document) => namedFiles('edge', document),
};

export const internalProgram: Program<InternalDocument> = {
  name: 'internal',
  services: [entry('front-end', import.meta.resolve('#internal/front-end'))],
  load: loadInternalDocument,
  listeners: internalListeners,
  host: (document) => document.host,
  files: (document) => namedFiles('internal', document),
};

function entry(name: ServiceName, module: string): ServiceEntry {
  return { name, title: serviceTitle(name), module };
}
