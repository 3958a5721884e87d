export {
  type CheckReport,
  checkDocument,
  type DocumentKind,
  loadEdgeDocument,
  loadInternalDocument,
} from './check.ts';
export { type ParseOptions, parseEdgeDocument } from './document.ts';
export type { DocumentFiles, FileLook } from './document-files.ts';
export type { EdgeDocument } from './edge-schema.ts';
export { type DocumentError, type DocumentFinding, formatDocumentError, type Severity } from './finding.ts';
export type { InternalDocument } from './internal-schema.ts';
export { edgeListeners, internalListeners, type ListenerPlan } from './listeners.ts';
export { type ListenerOwner, type ServiceName, serviceTitle } from './service-names.ts';
export type { SettingValue } from './setting.ts';
export {
  documentJsonSchema,
  namedFiles,
  type SchemaNode,
  type Setting,
  schemaTree,
  settings,
} from './settings.ts';

/** PEM files by absolute path. */
export interface KeyPairFiles {
  certificate: string;
  key: string;
}
