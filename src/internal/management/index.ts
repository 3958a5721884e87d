export { type MigrationReport, tryMigration } from './migration.ts';
export { service } from './service.ts';
export { type ManagementStatus, managementStatus } from './status.ts';
