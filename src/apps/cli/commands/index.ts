import type { Command } from 'commander';
import type { Session } from '../terminal.ts';
import { addAccess } from './access.ts';
import { addAv } from './av.ts';
import { addBackup } from './backup.ts';
import { addCall } from './call.ts';
import { addCertificates } from './certificates.ts';
import { addCheck } from './check.ts';
import { addConfig } from './config.ts';
import { addDns } from './dns.ts';
import { addDrain } from './drain.ts';
import { addEvents } from './events.ts';
import { addExplain } from './explain.ts';
import { addFederation } from './federation.ts';
import { addFirewall } from './firewall.ts';
import { addInit } from './init.ts';
import { addKeys } from './keys.ts';
import { addLab } from './lab.ts';
import { addLogs } from './logs.ts';
import { addMeeting } from './meeting.ts';
import { addMetrics } from './metrics.ts';
import { addPortSummary } from './port-summary.ts';
import { addPresence } from './presence.ts';
import { addReload } from './reload.ts';
import { addRun } from './run.ts';
import { addStatus } from './status.ts';
import { addUser } from './user.ts';
import { addWebConferencing } from './webconf.ts';
import { addXmpp } from './xmpp.ts';
import { addXmppGateway } from './xmpp-gateway.ts';

/** Adds one command, or a few that belong together, to the command line. */
export type AddCommand = (root: Command, session: Session) => void;

/** Every command, in the order in which `--help` lists them: one file each. */
export const commands: readonly AddCommand[] = [
  addLab,
  addInit,
  addRun,
  addUser,
  addPresence,
  addXmppGateway,
  addMeeting,
  addConfig,
  addBackup,
  addCheck,
  addPortSummary,
  addExplain,
  addFirewall,
  addDns,
  addCertificates,
  addKeys,
  addAv,
  addStatus,
  addReload,
  addDrain,
  addMetrics,
  addEvents,
  addLogs,
  addAccess,
  addFederation,
  addXmpp,
  addWebConferencing,
  addCall,
];
