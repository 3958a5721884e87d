type Headers = readonly (readonly [string, string])[];

/** What a request about presence is answered; `toTag` where a dialog begins. */
export interface Reply {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: Headers;
  readonly toTag?: string;
}

export const ALLOW_EVENTS: readonly [string, string] = ['Allow-Events', 'presence, presence.winfo'];

export function refusal(status: number, reason?: string, headers: Headers = []): Reply {
  return { status, headers, ...(reason === undefined ? {} : { reason }) };
}

export interface ExpiresBounds {
  readonly minExpiresSeconds: number;
  readonly maxExpiresSeconds: number;
  readonly defaultExpiresSeconds: number;
}

/** The seconds to grant for an Expires header; a 423 when they are too few (RFC 6665 §4.2.1.1, RFC 3903 §6). */
export function grantedSeconds(text: string | undefined, bounds: ExpiresBounds): number | Reply {
  const asked = text === undefined || !/^\d{1,10}$/.test(text) ? bounds.defaultExpiresSeconds : Number(text);
  if (asked > 0 && asked < bounds.minExpiresSeconds) {
    return refusal(423, undefined, [['Min-Expires', `${bounds.minExpiresSeconds}`]]);
  }
  return Math.min(asked, bounds.maxExpiresSeconds);
}

/** Whether an Accept header lets this media type through; without one it does (RFC 3856 §6.4). */
export function accepts(texts: readonly string[], type: string): boolean {
  if (texts.length === 0) return true;
  const family = `${type.slice(0, type.indexOf('/'))}/*`;
  return texts.some((text) => {
    const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    return !refused && (range === type || range === family || range === '*/*');
  });
}
