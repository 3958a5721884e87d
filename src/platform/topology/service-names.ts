/** The services of both programs that exist so far, by the names of their rooms. */
export type ServiceName = 'access' | 'av' | 'av-authentication' | 'front-end';
/** Who binds a socket: a service, or the supervisor itself. */
export type ListenerOwner = ServiceName | 'supervisor';

const TITLES: Readonly<Record<ListenerOwner, string>> = {
  access: 'Access Edge service',
  av: 'A/V Edge service',
  'av-authentication': 'A/V Authentication service',
  'front-end': 'front end',
  supervisor: 'supervisor',
};

/** The field's name of a service: "Access Edge service". */
export function serviceTitle(service: ListenerOwner): string {
  return TITLES[service];
}

/**
 * Which service answers behind a port row, for rows where one of our programs listens. Ids `more-NN` are our own,
 * beyond the rows of `spec/registries/port-rows.json`: more-01 is metrics and health on loopback, more-02 internal
 * clients at the front end.
 */
export const rowServices = {
  'ext-05': 'access',
  'ext-14': 'av',
  'int-02': 'access',
  'int-03': 'front-end',
  'int-05': 'av-authentication',
  'int-06': 'av',
  'more-01': 'supervisor',
  'more-02': 'front-end',
} as const satisfies Record<string, ListenerOwner>;

export type ListeningRow = keyof typeof rowServices;
