import type { Catalogue } from './entry.ts';

/** Errors of the logging agent and the log controller (SLP-LOG-nnnn). */
export const loggingErrors = {
  'SLP-LOG-0001': {
    blame: 'operator',
    summary: 'there is no such name',
    remedy: 'Write one of the names that logs show --known lists.',
  },
  'SLP-LOG-0002': {
    blame: 'peer',
    summary: 'a message between log controller and logging agent cannot be read',
    remedy: 'Upgrade the older of the two: at most one version lies between them.',
  },
  'SLP-LOG-0003': {
    blame: 'operator',
    summary: 'events cannot be stored',
    remedy:
      'Free space on the disk of host.logging.directory, and let the user the program runs as write there.',
  },
  'SLP-LOG-0004': {
    blame: 'operator',
    summary: 'no events are stored because the disk is fuller than it may be',
    remedy: 'Free space there, choose another host.logging.directory, or raise host.logging.diskPercent.',
  },
  'SLP-LOG-0005': {
    blame: 'self',
    summary: 'a segment of stored events is damaged',
    remedy: 'Nothing, if the host lost power: what it held is lost. Otherwise look at the disk.',
  },
  'SLP-LOG-0006': {
    blame: 'operator',
    summary: 'this scenario cannot be started or changed so',
    remedy:
      'Look at logs show: two run at once, AlwaysOn among them. Stop one first, or choose another name.',
  },
  'SLP-LOG-0007': {
    blame: 'operator',
    summary: 'this scenario is not running',
    remedy: 'Look at logs show for those that are; start it with logs start.',
  },
  'SLP-LOG-0008': {
    blame: 'peer',
    summary: 'too many requests on one logging connection',
    remedy: 'Wait until one of them has ended, or cancel one.',
  },
  'SLP-LOG-0009': {
    blame: 'peer',
    summary: 'log controller and logging agent have no version in common',
    remedy: 'Upgrade the older of the two: at most one version lies between them.',
  },
  'SLP-LOG-0010': {
    blame: 'self',
    summary: 'the logging agent could not answer a request',
    remedy: 'Report it with what the log of the edge says at that time.',
  },
  'SLP-LOG-0011': {
    blame: 'operator',
    summary: 'what should be copied or followed on from is not stored here',
    remedy: 'Ask for the list again: segments grow old, and a store that was set up anew begins anew.',
  },
  'SLP-LOG-0012': {
    blame: 'peer',
    summary: 'a verified peer on a logging port is no log controller of this edge',
    remedy: 'If it is one, add a name of its certificate to host.logging.controllers.',
  },
  'SLP-LOG-0101': {
    blame: 'operator',
    summary: 'nobody listens on a logging port of an edge',
    remedy: 'Check that the edge runs and that its policy has features.logging: true; then address and port.',
  },
  'SLP-LOG-0102': {
    blame: 'peer',
    summary: 'a logging agent does not answer',
    remedy:
      'Look at sallyport status on that edge; if it is well, check the route and the internal firewall: sallyport firewall prints the rule.',
  },
  'SLP-LOG-0103': {
    blame: 'peer',
    summary: 'the connection to a logging agent could not be opened, or was lost',
    remedy: 'Check that the edge runs, and that the internal firewall lets this host through.',
  },
  'SLP-LOG-0104': {
    blame: 'operator',
    summary: 'a logging agent does not let this controller in',
    remedy: "Write a name of this host's certificate into host.logging.controllers of the edge.",
  },
  'SLP-LOG-0105': {
    blame: 'operator',
    summary: 'another edge answers at the address of one',
    remedy: 'Compare the addresses in logging.edges with host.addresses.internal of the edges.',
  },
  'SLP-LOG-0106': {
    blame: 'peer',
    summary: 'a logging agent refused',
    remedy: 'The message has its reason; its code stands in this catalogue, too.',
  },
  'SLP-LOG-0107': {
    blame: 'operator',
    summary: 'this host has no address of the family of an edge',
    remedy:
      'Add an address of that family to host.addresses.internal, or name the other address of the edge.',
  },
  'SLP-LOG-0108': {
    blame: 'peer',
    summary: 'what answers as a logging agent has not the certificate of that edge',
    remedy:
      "Compare logging.edges with the edge's internal certificate: the name must be in its subjectAltName.",
  },
  'SLP-LOG-0109': {
    blame: 'peer',
    summary: 'an event that was traced to test the log was not found in it',
    remedy: 'Look at sallyport logs show: disk, dropped events and the reason why nothing is stored.',
  },
  'SLP-LOG-0110': {
    blame: 'peer',
    summary: 'a copied segment is not what the agent has',
    remedy: 'Copy it again; if it happens again, look at the disk of that edge.',
  },
  'SLP-LOG-0111': {
    blame: 'operator',
    summary: 'too many searches are open',
    remedy: 'End one, or wait a minute: those that nobody reads end by themselves.',
  },
  'SLP-LOG-0112': {
    blame: 'operator',
    summary: 'a search is not open any more',
    remedy: 'Ask again: a search that is not read for a minute ends.',
  },
  'SLP-LOG-0113': {
    blame: 'operator',
    summary: 'there is no such edge',
    remedy: 'Write the edges into logging.edges of internal.yaml, and name them as they are there.',
  },
  'SLP-LOG-0114': {
    blame: 'operator',
    summary: 'no time lies between the two that were given',
    remedy: 'Give --from a time before --to; both are UTC unless they say otherwise.',
  },
} as const satisfies Catalogue;
