import { loadVerifiedEdge, replicaJudge } from '#platform/replica-store';
import type { Program, ServiceEntry } from '#platform/service';
import {
  currentReplica,
  type EdgeDocument,
  edgeListeners,
  type InternalDocument,
  internalListeners,
  loadInternalDocument,
  namedFiles,
  replicaActivation,
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
    entry('xmpp-proxy', import.meta.resolve('#edge/xmpp-proxy')),
    entry('web-conferencing', import.meta.resolve('#edge/web-conferencing')),
    entry('replica', import.meta.resolve('#edge/replica')),
    entry('logging-agent', import.meta.resolve('#edge/logging-agent')),
  ],
  workers: (service, document) => (service === 'access' ? document.host.workers.access : 1),
  threads: (service, document) => (service === 'av' ? document.host.workers.av : 1),
  load: loadVerifiedEdge,
  offers: replicaJudge,
  collector: 'logging-agent',
  listeners: edgeListeners,
  host: (document) => document.host,
  files: (document) => {
    const { stateDirectory } = document.host;
    return [
      ...namedFiles('edge', document),
      currentReplica(stateDirectory),
      replicaActivation(stateDirectory),
    ];
  },
};

export const internalProgram: Program<InternalDocument> = {
  name: 'internal',
  services: [
    entry('front-end', import.meta.resolve('#internal/front-end')),
    entry('management', import.meta.resolve('#internal/management')),
    entry('log-controller', import.meta.resolve('#internal/log-controller')),
    entry('xmpp-gateway', import.meta.resolve('#internal/xmpp-gateway')),
    entry('web-conferencing-service', import.meta.resolve('#internal/web-conferencing')),
  ],
  load: loadInternalDocument,
  listeners: internalListeners,
  host: (document) => document.host,
  files: (document) => namedFiles('internal', document),
};

function entry(name: ServiceName, module: string): ServiceEntry {
  return { name, title: serviceTitle(name), module };
}
