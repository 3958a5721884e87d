/** The services of both programs that exist so far, by the names of their rooms. */
export const serviceNames = [
  'access',
  'av',
  'av-authentication',
  'front-end',
  'replica',
  'xmpp-proxy',
  'web-conferencing',
  'management',
  'log-controller',
  'xmpp-gateway',
  'web-conferencing-service',
  'logging-agent',
] as const;
export type ServiceName = (typeof serviceNames)[number];
/** Who binds a socket: a service, or the supervisor itself. */
export const listenerOwners = [...serviceNames, 'supervisor'] as const;
export type ListenerOwner = (typeof listenerOwners)[number];
/** Who stands behind a row of the port plan: those, and what is not ours. */
export type PlannedService = ListenerOwner | 'host' | 'reverse-proxy';

const TITLES: Readonly<Record<PlannedService, string>> = {
  access: 'Access Edge service',
  av: 'A/V Edge service',
  'av-authentication': 'A/V Authentication service',
  'front-end': 'front end',
  supervisor: 'supervisor',
  'web-conferencing': 'Web Conferencing Edge service',
  'xmpp-proxy': 'XMPP proxy',
  replica: 'replica agent',
  management: 'management store',
  'log-controller': 'log controller',
  'xmpp-gateway': 'XMPP gateway',
  'web-conferencing-service': 'web conferencing service',
  'logging-agent': 'logging agent',
  host: 'host',
  'reverse-proxy': 'reverse proxy',
};

/** The field's name of a service: "Access Edge service". */
export function serviceTitle(service: PlannedService): string {
  return TITLES[service];
}
