/** Which conference: `sip:<id>@<domain>`. */
export interface ConferenceAddress {
  /** 16 characters of a to z and 2 to 7: 80 random bits. */
  readonly id: string;
  /** Lower case. */
  readonly domain: string;
}

const URI = /^sip:([a-z2-7]{16})@([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/i;

export function formatConferenceUri({ id, domain }: ConferenceAddress): string {
  return `sip:${id}@${domain}`;
}

/** Undefined for anything that is not exactly such a URI; parameters, ports and passwords are not. */
export function parseConferenceUri(text: string): ConferenceAddress | undefined {
  const [, id, domain] = URI.exec(text) ?? [];
  if (id === undefined || domain === undefined) return undefined;
  return { id: id.toLowerCase(), domain: domain.toLowerCase() };
}
