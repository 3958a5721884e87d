import type { Command } from 'commander';
import { addExport, addIdentity, addImport } from '../config/files.ts';
import { addMigrate } from '../config/migrate.ts';
import { addPolicyCommands } from '../config/policy.ts';
import { addReplicationCommands } from '../config/replication.ts';
import type { Session } from '../terminal.ts';

/** `sallyport config …`: the policy of all edges, from the host of the management store; `import` on an edge. */
export function addConfig(root: Command, session: Session): void {
  const config = root.command('config').description('the policy of the edges, and how it reaches them');
  addPolicyCommands(config, session);
  addReplicationCommands(config, session);
  addMigrate(config, session);
  addExport(config, session);
  addImport(config, session);
  addIdentity(config, session);
}
