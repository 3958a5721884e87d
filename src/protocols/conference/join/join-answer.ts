import { err, ok, type Result } from '#kernel';
import { type ConferenceAddress, formatConferenceUri, parseConferenceUri } from './conference-uri.ts';

/** Asked for by Accept of an INVITE to a conference, and the body of its 200 (docs/protocols/conference-signalling.md). */
export const JOIN_ANSWER_TYPE = 'application/vnd.sallyport.conference+json';

export type ParticipantRole = 'presenter' | 'attendee';

/** A server where the participant may open the conferencing data (PSOM). */
export interface Place {
  /** For pages: a wss URL. */
  readonly webSocket: string;
  /** For others: TLS to this host and port. */
  readonly host: string;
  readonly port: number;
}

/** How a participant whom the focus has let in gets at the meeting itself. */
export interface JoinAnswer {
  readonly conference: ConferenceAddress;
  readonly title: string;
  /** Number of the participant within the conference, from 1. */
  readonly participant: number;
  readonly role: ParticipantRole;
  /** Opens one connection at one of the places; base64url with dots. */
  readonly token: string;
  /** Seconds that the token is good for. */
  readonly tokenSeconds: number;
  /** Any of them will do; the first one first. */
  readonly places: readonly Place[];
}

/** Octets of the body, characters, and how many. */
export const joinAnswerLimits = { bytes: 16_384, title: 512, token: 512, url: 512, places: 32 } as const;

/** Why a body is no join answer. */
export type JoinAnswerProblem =
  | 'too-large'
  | 'not-json'
  /** Of another version than 1. */
  | 'version'
  | 'conference'
  | 'title'
  | 'participant'
  | 'role'
  | 'token'
  | 'places';

export function formatJoinAnswer(answer: JoinAnswer): string {
  return JSON.stringify({ version: 1, ...answer, conference: formatConferenceUri(answer.conference) });
}

/** Members that are not known are passed over, so that later servers may tell more. */
export function parseJoinAnswer(text: string): Result<JoinAnswer, JoinAnswerProblem> {
  if (text.length > joinAnswerLimits.bytes) return err('too-large');
  const body = readObject(text);
  if (body === undefined) return err('not-json');
  if (body.version !== 1) return err('version');
  const conference = typeof body.conference === 'string' ? parseConferenceUri(body.conference) : undefined;
  if (conference === undefined) return err('conference');
  const { title, participant, role, token, tokenSeconds } = body;
  if (typeof title !== 'string' || title.length > joinAnswerLimits.title) return err('title');
  if (!isCount(participant)) return err('participant');
  if (role !== 'presenter' && role !== 'attendee') return err('role');
  if (!isToken(token) || !isCount(tokenSeconds)) return err('token');
  const places = readPlaces(body.places);
  if (places === undefined) return err('places');
  return ok({ conference, title, participant, role, token, tokenSeconds, places });
}

type Unknown = Readonly<Record<string, unknown>>;

function readObject(text: string): Unknown | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Unknown | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Unknown)
    : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

function isToken(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length <= joinAnswerLimits.token && /^[A-Za-z0-9._~-]+$/.test(value)
  );
}

function readPlaces(value: unknown): Place[] | undefined {
  if (!Array.isArray(value) || value.length > joinAnswerLimits.places) return undefined;
  const places: Place[] = [];
  for (const item of value) {
    const place = readPlace(asObject(item));
    if (place === undefined) return undefined;
    places.push(place);
  }
  return places;
}

function readPlace(item: Unknown | undefined): Place | undefined {
  const { webSocket, host, port } = item ?? {};
  if (typeof webSocket !== 'string' || !isWebSocketUrl(webSocket)) return undefined;
  if (typeof host !== 'string' || !/^[A-Za-z0-9.:[\]-]{1,255}$/.test(host)) return undefined;
  if (!isCount(port) || port > 65_535) return undefined;
  return { webSocket, host, port };
}

/** A client opens what stands here: wss only, to nobody's account. */
function isWebSocketUrl(text: string): boolean {
  if (text.length > joinAnswerLimits.url || !URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return protocol === 'wss:' && username === '' && password === '' && hash === '';
}
