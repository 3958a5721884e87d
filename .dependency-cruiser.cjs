// The borders of ARCHITECTURE.md, enforced: floors, doors, and the graph of rooms within a floor.

/** Rooms within a floor that may be imported by rooms of the same floor. Edit ARCHITECTURE.md with it. */
const within = {
  protocols: {
    turn: ['stun'],
    credentials: ['stun', 'xml'],
    presence: ['xml'],
    conference: ['xml'],
    xmpp: ['xml'],
    'sip-agent': ['sip'],
    'meeting-session': ['conference', 'psom', 'sip-agent'],
    'sip-xmpp': ['presence', 'sip', 'xml', 'xmpp'],
    'trust-marking': ['sip'],
  },
  platform: {
    net: ['telemetry', 'pki'],
    http: ['telemetry'],
    'message-log': ['telemetry'],
    backup: ['store'],
    'replica-store': ['topology', 'service', 'store'],
    'port-summary': ['topology'],
    firewall: ['topology'],
    dns: ['topology', 'telemetry'],
    'partner-dial': ['dns', 'net', 'telemetry'],
    revocation: ['partner-dial', 'dns', 'pki', 'telemetry', 'topology'],
    'certificate-plan': ['topology', 'pki'],
    'host-survey': ['topology'],
    service: ['telemetry', 'topology', 'http'],
    'sip-endpoint': ['message-log', 'net', 'telemetry'],
    'sip-agent': ['net', 'pki', 'sip-endpoint', 'telemetry'],
    'sip-door': ['net', 'web-socket'],
    'web-socket': ['net'],
    'psom-door': ['net', 'psom-link', 'telemetry', 'web-socket'],
    'edge-dial': ['net', 'pki', 'telemetry'],
    'psom-link': ['edge-dial', 'net', 'pki', 'telemetry'],
    'xmpp-link': ['edge-dial', 'net', 'pki', 'telemetry'],
    'xmpp-endpoint': ['dns', 'net', 'partner-dial', 'pki', 'telemetry'],
  },
  edge: {},
  internal: {
    'front-end': ['presence'],
  },
  apps: {
    cli: ['lab'],
    lab: ['softphone', 'participant', 'xmpp-partner'],
  },
};

const test = '(\\.test|\\.fuzz|\\.conformance)\\.ts$|/(testing|testdata)/';
const floors = ['kernel', 'protocols', 'platform', 'edge|internal', 'apps'];

const upward = floors.slice(0, -1).map((floor, index) => ({
  name: `floor-${floor.replace('|', '-')}-looks-down`,
  comment: 'Imports go down: apps -> edge | internal -> platform -> protocols -> kernel.',
  severity: 'error',
  from: { path: `^src/(${floor})/`, pathNot: test },
  to: { path: `^src/(${floors.slice(index + 1).join('|')})/` },
}));

const sideways = Object.entries(within).flatMap(([floor, rooms]) => [
  {
    name: `${floor}-graph`,
    comment: `A room of ${floor} that is not in the graph imports no other room of its floor.`,
    severity: 'error',
    from: {
      path: `^src/${floor}/([^/]+)/`,
      pathNot: `${test}|^src/${floor}/(${Object.keys(rooms).join('|') || '-'})/`,
    },
    to: { path: `^src/${floor}/`, pathNot: `^src/${floor}/$1/` },
  },
  ...Object.entries(rooms).map(([room, allowed]) => ({
    name: `${floor}-${room}-graph`,
    comment: `${floor}/${room} may import of its floor: ${allowed.join(', ') || 'nothing'}.`,
    severity: 'error',
    from: { path: `^src/${floor}/${room}/`, pathNot: test },
    to: { path: `^src/${floor}/`, pathNot: `^src/${floor}/(${[room, ...allowed].join('|')})/` },
  })),
]);

module.exports = {
  forbidden: [
    ...upward,
    ...sideways,
    {
      name: 'edge-and-internal-meet-over-the-wire',
      severity: 'error',
      from: { path: '^src/edge/', pathNot: test },
      to: { path: '^src/internal/' },
    },
    {
      name: 'internal-never-imports-edge',
      severity: 'error',
      from: { path: '^src/internal/', pathNot: test },
      to: { path: '^src/edge/' },
    },
    {
      name: 'one-door',
      comment: 'Another room is entered by its index.ts only.',
      severity: 'error',
      from: { path: '^src/([^/]+)/([^/]+)/' },
      to: {
        path: '^src/(protocols|platform|edge|internal|apps)/[^/]+/',
        pathNot: ['^src/$1/$2/', '/index\\.ts$', '^src/[^/]+/[^/]+/testing/'],
      },
    },
    {
      name: 'kernel-door',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/kernel/' },
      to: { path: '^src/kernel/', pathNot: '^src/kernel/index\\.ts$' },
    },
    {
      name: 'protocols-are-pure',
      comment: 'Sans-IO: no sockets, timers, files or processes; node:crypto is allowed.',
      severity: 'error',
      from: { path: '^src/protocols/', pathNot: test },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer)$' },
    },
    {
      name: 'psom-runs-in-a-browser',
      severity: 'error',
      from: { path: '^src/protocols/psom/', pathNot: test },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'joining-runs-in-a-browser',
      severity: 'error',
      from: { path: '^src/protocols/conference/join/', pathNot: test },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'kernel-runs-in-a-browser',
      severity: 'error',
      from: { path: '^src/kernel/', pathNot: test },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'no-circles',
      comment: 'Types may refer to one another; code may not.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'product-needs-no-tools',
      severity: 'error',
      from: { path: '^src/', pathNot: test },
      to: { path: '^(tools|bench|proof)/' },
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      // The browser client is built, and brings along what it needs.
      from: { path: '^src/', pathNot: `${test}|^src/apps/meeting/(client/|vite\\.config\\.ts$)` },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'unknown'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '\\?url$' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
