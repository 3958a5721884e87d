import type { Catalogue } from './entry.ts';

/** Errors of the management store and of replication (SLP-CFG-nnnn). */
export const configurationErrors = {
  'SLP-CFG-0001': {
    blame: 'peer',
    summary: 'a replicated configuration is too large',
    remedy: 'Make the policy shorter: everything that one edge gets must stay within 16 MiB.',
  },
  'SLP-CFG-0002': {
    blame: 'peer',
    summary: 'a replicated configuration is damaged',
    remedy: 'Push it again with config replicate --full; a file is exported again.',
  },
  'SLP-CFG-0003': {
    blame: 'peer',
    summary: 'a replicated configuration has a format that this version does not know',
    remedy: 'Upgrade this edge: at most one version lies between the management store and its edges.',
  },
  'SLP-CFG-0004': {
    blame: 'peer',
    summary: 'a replicated configuration is signed by a key that this edge does not trust',
    remedy:
      'Compare the fingerprint that config status prints inside with host.replication.signers on this edge.',
  },
  'SLP-CFG-0005': {
    blame: 'peer',
    summary: 'a replicated configuration has a wrong signature',
    remedy:
      'Find out who sent it: it was changed after the management store signed it, or never signed by it.',
  },
  'SLP-CFG-0006': {
    blame: 'peer',
    summary: 'a replicated configuration was made for another edge',
    remedy: 'Check name and address of both edges in management.edges; a file is exported for this one.',
  },
  'SLP-CFG-0007': {
    blame: 'peer',
    summary: 'a replicated configuration is older than the one that runs',
    remedy: 'Nothing, if it was replayed. After restoring an old backup inside: config replicate --adopt.',
  },
  'SLP-CFG-0008': {
    blame: 'peer',
    summary: 'a replicated configuration does not descend from the one that runs',
    remedy:
      'Two stores publish, or one was restored: stop one of them, then config replicate --adopt on the other.',
  },
  'SLP-CFG-0009': {
    blame: 'peer',
    summary: 'a replicated configuration is incomplete',
    remedy: 'Push it again with config replicate --full.',
  },
  'SLP-CFG-0010': {
    blame: 'peer',
    summary: 'a secret was sealed to another key than that of this edge',
    remedy: 'If the state of this edge was lost: config trust NAME inside, which seals the secrets afresh.',
  },
  'SLP-CFG-0011': {
    blame: 'operator',
    summary: 'a replicated configuration cannot be stored',
    remedy:
      'Free space on the disk of host.stateDirectory, and let the user the program runs as write there.',
  },
  'SLP-CFG-0012': {
    blame: 'operator',
    summary: 'the stored replica is absent or not what was signed',
    remedy: 'Export it inside with config export, and load it here with config import.',
  },
  'SLP-CFG-0013': {
    blame: 'operator',
    summary: 'the policy of this edge is local',
    remedy: 'Write host.replication.policy: replicated into its document, and remove the policy part there.',
  },
  'SLP-CFG-0014': {
    blame: 'peer',
    summary: 'a verified peer on the replication port is no management store of this edge',
    remedy: 'If it is one, add a name of its certificate to host.replication.stores.',
  },
  'SLP-CFG-0015': {
    blame: 'operator',
    summary: 'an edge shows another sealing key than the one that was pinned',
    remedy:
      'If its state was lost and it was set up anew: config trust EDGE. Otherwise find out who answers there.',
  },
  'SLP-CFG-0016': {
    blame: 'operator',
    summary: 'an edge runs a local policy and takes no other',
    remedy:
      'Write host.replication.policy: replicated into its document, or take it out of management.edges.',
  },
  'SLP-CFG-0017': {
    blame: 'operator',
    summary: 'an edge runs a version that this store never published',
    remedy:
      'Another store publishes, or this one was restored: stop the other, then config replicate --adopt EDGE.',
  },
  'SLP-CFG-0020': {
    blame: 'operator',
    summary: 'no such scope',
    remedy: 'Name a scope: global, site/NAME, service/EDGE or user/ADDRESS.',
  },
  'SLP-CFG-0021': {
    blame: 'operator',
    summary: 'the policy of a scope cannot be read',
    remedy: 'Write YAML with key: value lines, as below policy in the reference of edge.yaml.',
  },
  'SLP-CFG-0022': {
    blame: 'operator',
    summary: 'a policy is not valid, and was not stored',
    remedy: 'Correct what the message names and try again; what is published has not changed.',
  },
  'SLP-CFG-0023': {
    blame: 'operator',
    summary: 'no such setting',
    remedy: 'Name it as in the reference, such as policy.limits.access.connections.',
  },
  'SLP-CFG-0024': {
    blame: 'operator',
    summary: 'keys are being rolled already',
    remedy:
      'Wait until config status shows every edge up to date; an edge that is gone leaves management.edges.',
  },
  'SLP-CFG-0025': {
    blame: 'operator',
    summary: 'nothing was published for this edge yet',
    remedy: 'Set a policy, and let the store reach the edge once, or give its sealing key to config export.',
  },
  'SLP-CFG-0026': {
    blame: 'operator',
    summary: 'an edge cannot be dialled from this host',
    remedy: "Give host.addresses.internal an address of the same family as the edge's.",
  },
  'SLP-CFG-0027': {
    blame: 'peer',
    summary: 'the connection to an edge broke off',
    remedy: 'It is tried again by itself; if it stays, look into the log of the replica agent on the edge.',
  },
  'SLP-CFG-0028': {
    blame: 'peer',
    summary: 'an edge answered with something that is no report',
    remedy: 'Check that address and port belong to an edge of this product, at most one version apart.',
  },
  'SLP-CFG-0029': {
    blame: 'operator',
    summary: 'nobody listens on the replication port of an edge',
    remedy:
      'Check that the edge runs and that its policy has features.replication: true; then address and port.',
  },
  'SLP-CFG-0030': {
    blame: 'operator',
    summary: 'an edge cannot be reached',
    remedy:
      'Check the route, and that the internal firewall lets this host through: sallyport firewall prints the rule.',
  },
  'SLP-CFG-0031': {
    blame: 'operator',
    summary: 'an edge did not take what was pushed and still runs what it had',
    remedy:
      'Correct what the message names; the next version is pushed by itself, or config replicate tries again.',
  },
  'SLP-CFG-0032': {
    blame: 'operator',
    summary: 'the clocks of store and edge differ',
    remedy: 'Let both follow a time server (host.timeServers); credentials and certificates depend on it.',
  },
  'SLP-CFG-0033': {
    blame: 'operator',
    summary: 'the signing key of the management store cannot be used',
    remedy: 'Restore management.key from a backup; without it every edge has to be given a new fingerprint.',
  },
  'SLP-CFG-0034': {
    blame: 'operator',
    summary: 'no such edge',
    remedy: 'Name one of management.edges in internal.yaml; config status lists them.',
  },
  'SLP-CFG-0035': {
    blame: 'operator',
    summary: 'no such revision',
    remedy: 'Choose one that config log lists.',
  },
  'SLP-CFG-0036': {
    blame: 'operator',
    summary: 'this is no file that config export made',
    remedy: 'Export it again, and carry it over unchanged.',
  },
  'SLP-CFG-0037': {
    blame: 'operator',
    summary: 'the sealing key of this edge is damaged',
    remedy:
      'Restore sealing.key from a backup; or remove it, and after the next start say config trust EDGE inside.',
  },
  'SLP-CFG-0038': {
    blame: 'peer',
    summary: 'an edge refused something that this store did not send as its newest version',
    remedy:
      'Find out who pushed it: another store, or somebody with its certificate. The edge runs on; the next push ends this.',
  },
  'SLP-CFG-0039': {
    blame: 'operator',
    summary: 'an edge of an older version does not know a setting that is written for it',
    remedy:
      'Upgrade that edge; it runs on with what it has. Or take the setting out for it: config unset, scope service/EDGE.',
  },
  'SLP-CFG-0040': {
    blame: 'operator',
    summary: 'store and edge have no format of replication in common',
    remedy: 'Upgrade the older one: at most one version may lie between them.',
  },
  'SLP-CFG-0041': {
    blame: 'operator',
    summary: 'this is no backup, or it is damaged',
    remedy: 'Take another copy of it; a backup is one file that starts with SALLYPORT-BACKUP.',
  },
  'SLP-CFG-0042': {
    blame: 'operator',
    summary: 'the backup does not open',
    remedy: 'Check passphrase or key; if they are right the file was changed: take another copy of it.',
  },
  'SLP-CFG-0043': {
    blame: 'operator',
    summary: 'the backup cannot be made',
    remedy: 'Let this user read what the message names; everything together must stay within 512 MiB.',
  },
  'SLP-CFG-0044': {
    blame: 'operator',
    summary: 'the passphrase is too short',
    remedy: 'Choose a longer one, such as five words: whoever has the file may guess as often as he likes.',
  },
  'SLP-CFG-0045': {
    blame: 'operator',
    summary: 'the key for backups cannot be used',
    remedy: 'Make one with sallyport backup-key FILE, and give the recipient that it prints.',
  },
  'SLP-CFG-0046': {
    blame: 'operator',
    summary: 'something is in the way of what is to be restored',
    remedy: 'Move it away, or say --replace: then what stands there now is lost.',
  },
  'SLP-CFG-0047': {
    blame: 'operator',
    summary: 'not everything could be restored',
    remedy: 'Remove the cause that the message names, and restore again with --replace.',
  },
  'SLP-CFG-0048': {
    blame: 'operator',
    summary: 'the program that is to be restored runs',
    remedy: 'Stop it first: systemctl stop sallyport@internal, or sallyport@edge.',
  },
  'SLP-CFG-0049': {
    blame: 'operator',
    summary: 'the name of an edge does not resolve',
    remedy: 'Give it an A or AAAA record in the internal DNS, or write its address into management.edges.',
  },
  'SLP-CFG-0050': {
    blame: 'peer',
    summary: 'keys are to be used that came with a version which this edge does not run',
    remedy:
      'Nothing, if it was replayed or sent too early; the store sends the version first: config replicate.',
  },
  'SLP-CFG-0051': {
    blame: 'peer',
    summary: 'a key is to be used that is not in the version which this edge runs',
    remedy:
      'Two stores publish, or one was restored: stop one of them, then config replicate --adopt on the other.',
  },
  'SLP-CFG-0052': {
    blame: 'operator',
    summary: 'a new key waits until every edge knows it',
    remedy:
      'It goes on by itself when that edge is back, or upgraded; an edge that is gone leaves management.edges.',
  },
  'SLP-CFG-0053': {
    blame: 'operator',
    summary: 'an edge did not begin to use new keys and goes on with those of before',
    remedy:
      'Nothing was lost, since all edges honour both. Correct what the message names; it is tried again by itself.',
  },
} as const satisfies Catalogue;
