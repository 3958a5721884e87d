import { edgeListeners } from '#platform/topology';
import type { HostRule } from './rule.ts';

/** Somebody is allowed to bind the low ports. */
const lowPorts: HostRule = {
  name: 'low-ports',
  check({ host, document }, say) {
    const { mayBindLowPorts, firstFreePort } = host.privileges;
    if (mayBindLowPorts !== false) return;
    const low = edgeListeners(document)
      .map(({ port }) => port)
      .filter((port) => port < firstFreePort);
    if (low.length === 0) return;
    say(
      'instruction',
      `this user may not bind ports below ${firstFreePort}, such as ${low[0]}`,
      'the edge started by this user could not listen there',
      'start it by the systemd unit, which has AmbientCapabilities=CAP_NET_BIND_SERVICE',
      'or as root with host.runAs, so that the services give the privilege up again',
    );
  },
};

/** The account of the services exists. */
const runAsAccount: HostRule = {
  name: 'run-as-account',
  check({ host, document }, say) {
    const { runAs } = document.host;
    if (runAs === undefined || host.hasAccount(runAs) !== false) return;
    say(
      'error',
      `there is no account ${runAs} (host.runAs)`,
      'an edge that is started as root becomes that account before it reads from the network, or does not start',
      `useradd --system --home-dir ${document.host.stateDirectory} --shell /usr/sbin/nologin ${runAs}`,
    );
  },
};

/** Nothing that reads from the Internet runs as root. */
const runAsRoot: HostRule = {
  name: 'run-as-root',
  check({ host, document, imagined }, say) {
    if (imagined || !host.privileges.root || document.host.runAs !== undefined) return;
    say(
      'instruction',
      'host.runAs names no account',
      'an edge that is started as root without it would read from the Internet as root',
      'start it by the systemd unit, which runs it as the account sallyport, or write host.runAs',
    );
  },
};

export const privilegeRules: readonly HostRule[] = [lowPorts, runAsAccount, runAsRoot];
