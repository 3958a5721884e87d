import { type ConferenceAddress, formatConferenceUri, parseConferenceUri } from './conference-uri.ts';

/** What a meeting link tells: everything behind `#`, which a browser keeps from the server. */
export interface MeetingLink {
  /** The page that opens the meeting, without fragment: an https URL. */
  readonly page: string;
  readonly conference: ConferenceAddress;
  /** The conference key: 16 characters of base64url, 96 random bits. */
  readonly key: string;
}

const KEY = /^[A-Za-z0-9_-]{16}$/;
const LONGEST = 1024;

/** `https://conf.example.com/#conference=sip%3A…%40conf.example.com&key=…` */
export function formatMeetingLink({ page, conference, key }: MeetingLink): string {
  return `${page}#conference=${encodeURIComponent(formatConferenceUri(conference))}&key=${key}`;
}

/** Undefined for what is no meeting link; what else its fragment may say is passed over. */
export function parseMeetingLink(text: string): MeetingLink | undefined {
  if (text.length > LONGEST || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined;
  const told = new URLSearchParams(url.hash.slice(1));
  const conference = parseConferenceUri(told.get('conference') ?? '');
  const key = told.get('key') ?? '';
  if (conference === undefined || !KEY.test(key)) return undefined;
  url.hash = '';
  return { page: url.href, conference, key };
}
