export {
  type CheckReport,
  checkDocument,
  type DocumentKind,
  kindOf,
  loadEdgeDocument,
  loadEdgeHost,
  loadInternalDocument,
  replicaSettings,
} from './document/check.ts';
export { commentedDocument, exampleDocument } from './document/commented-document.ts';
export {
  type Examination,
  examineEdge,
  examinePolicy,
  type ParseOptions,
  parseEdgeDocument,
} from './document/document.ts';
export type { DocumentFiles, FileLook } from './document/document-files.ts';
export { currentReplica, type ReplicaSettings, replicaActivation } from './document/policy-source.ts';
export type { Draft } from './document/read-document.ts';
export { type DocumentError, type DocumentFinding, formatDocumentError, type Severity } from './finding.ts';
export { edgeListeners, internalListeners, type ListenerPlan } from './plan/listeners.ts';
export { type ListenerOwner, listenerOwners, type ServiceName, serviceTitle } from './plan/service-names.ts';
export type { EdgeDocument } from './schema/edge-schema.ts';
export type { InternalDocument } from './schema/internal-schema.ts';
export type { SettingValue } from './schema/setting.ts';
export {
  documentJsonSchema,
  namedFiles,
  type SchemaNode,
  type Setting,
  schemaTree,
  settings,
} from './schema/settings.ts';

/** PEM files by absolute path. */
export interface KeyPairFiles {
  certificate: string;
  key: string;
}
export {
  addressFamily,
  addressRange,
  canonicalAddress,
  canonicalNetwork,
  endpointText,
  hostNetwork,
  networkContains,
  networksOverlap,
  networkWithin,
} from './address.ts';
export type { Complaint } from './finding.ts';
export { quote } from './finding.ts';
export {
  type ExternalName,
  externalNames,
  type NamedService,
  nameInDomain,
  zoneOf,
} from './plan/external-names.ts';
export { type FeatureName, type FeatureState, featureKeys, type MediaProfile } from './plan/features.ts';
export { type DistinctFlow, distinctFlows } from './plan/flows.ts';
export { type EdgeAddress, edgeAddresses } from './plan/nodes.ts';
export {
  type Flow,
  hostPortPlan,
  type PlannedRow,
  type PortPlan,
  portPlan,
  type Scenario,
} from './plan/port-plan.ts';
export { rowDefinitions } from './plan/rows/index.ts';
export type {
  Direction,
  EdgeSide,
  Interface,
  PeerKind,
  PortRange,
  PortSource,
  Reach,
  RowDefinition,
  Section,
  Transport,
} from './plan/rows/row-definition.ts';
export type { PlannedService } from './plan/service-names.ts';
