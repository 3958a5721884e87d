import { err, ok, type Result } from '#kernel';
import type { SdpAttribute, SdpConnection, SdpDirection, SdpMedia, SessionDescription } from './types.ts';

/** One entry of an RTP audio section. */
export interface AudioFormat {
  /** 0..127. */
  readonly payloadType: number;
  /** Encoding name, upper case. */
  readonly name: string;
  /** Hertz. */
  readonly clockRate: number;
  readonly channels: number;
}

/** What a peer offers or answers for audio. */
export interface AudioMedia {
  /** Its place among the media sections, from 0. */
  readonly index: number;
  readonly address: string;
  readonly port: number;
  /** In the peer's order of preference; those whose encoding is unknown are left out. */
  readonly formats: readonly AudioFormat[];
  /** As the peer sees it. */
  readonly direction: SdpDirection;
}

export type AudioRefusal =
  /** No RTP/AVP audio section with a port. */
  'no-audio' | 'no-common-format';

/** What we say about our own end. */
export interface LocalAudio {
  readonly address: string;
  readonly port: number;
  /** Decimal digits, unique to the session, and its version, counted up with each change. */
  readonly sessionId: string;
  readonly sessionVersion: number;
  /** Default PCMU, then PCMA. */
  readonly formats?: readonly AudioFormat[];
  /** Default sendrecv. */
  readonly direction?: SdpDirection;
  /** RTCP is taken on the RTP port (RFC 5761); otherwise peers send it to the next one. */
  readonly rtcpOnSamePort?: boolean;
}

export const PCMU: AudioFormat = { payloadType: 0, name: 'PCMU', clockRate: 8000, channels: 1 };
export const PCMA: AudioFormat = { payloadType: 8, name: 'PCMA', clockRate: 8000, channels: 1 };

/** Payload types that need no rtpmap (RFC 3551 §6). */
export const staticAudioFormats: readonly AudioFormat[] = [PCMU, PCMA];

const PACKET_MS = 20;
const directions: readonly SdpDirection[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

/** An offer of one audio stream (RFC 3264 §5). */
export function audioOffer(local: LocalAudio): SessionDescription {
  const formats = local.formats ?? staticAudioFormats;
  return describe(local, ['0 0'], [audioSection(local, formats, local.direction ?? 'sendrecv', true)]);
}

/** The first audio section that is in use. */
export function readAudio(description: SessionDescription): Result<AudioMedia, 'no-audio'> {
  const index = description.media.findIndex(
    (media) => media.kind === 'audio' && media.port > 0 && media.protocol === 'RTP/AVP',
  );
  const media = description.media[index];
  const connection = media?.connection ?? description.connection;
  if (media === undefined || connection === undefined) return err('no-audio');
  const formats = media.formats.flatMap((format) => readFormat(media, format) ?? []);
  const direction = directionOf(media.attributes) ?? directionOf(description.attributes) ?? 'sendrecv';
  return ok({ index, address: connection.address, port: media.port, formats, direction });
}

/**
 * The answer to an offer (RFC 3264 §6): its first audio stream with the formats that both sides have, in the
 * offer's order and by the offer's payload types; every other stream is refused. `format` is the one to send.
 */
export function answerAudio(
  offer: SessionDescription,
  local: LocalAudio,
): Result<
  { readonly answer: SessionDescription; readonly format: AudioFormat; readonly peer: AudioMedia },
  AudioRefusal
> {
  const peer = readAudio(offer);
  if (!peer.ok) return peer;
  const ours = local.formats ?? staticAudioFormats;
  const common = peer.value.formats.filter((theirs) => ours.some((own) => sameEncoding(own, theirs)));
  const [format] = common;
  if (format === undefined) return err('no-common-format');
  const direction = answerDirection(peer.value.direction, local.direction ?? 'sendrecv');
  const sections = offer.media.map((media, index) =>
    index === peer.value.index
      ? audioSection(local, common, direction, media.attributes.some(isRtcpMux))
      : refused(media),
  );
  return ok({ answer: describe(local, offer.times, sections), format, peer: peer.value });
}

function describe(
  local: LocalAudio,
  times: readonly string[],
  media: readonly SdpMedia[],
): SessionDescription {
  const address: SdpConnection = {
    addressType: local.address.includes(':') ? 'IP6' : 'IP4',
    address: local.address,
  };
  const origin = {
    username: '-',
    sessionId: local.sessionId,
    sessionVersion: `${local.sessionVersion}`,
    address,
  };
  return { origin, name: '-', connection: address, times, attributes: [], media };
}

function audioSection(
  local: LocalAudio,
  formats: readonly AudioFormat[],
  direction: SdpDirection,
  mayMultiplex: boolean,
): SdpMedia {
  const maps = formats.map((format) => {
    const channels = format.channels === 1 ? '' : `/${format.channels}`;
    return { name: 'rtpmap', value: `${format.payloadType} ${format.name}/${format.clockRate}${channels}` };
  });
  return {
    kind: 'audio',
    port: local.port,
    protocol: 'RTP/AVP',
    formats: formats.map((format) => `${format.payloadType}`),
    attributes: [
      ...maps,
      { name: 'ptime', value: `${PACKET_MS}` },
      ...(local.rtcpOnSamePort === true ? rtcpAttributes(local.port, mayMultiplex) : []),
      { name: direction },
    ],
  };
}

/** RFC 5761 §5.1.1: `rtcp-mux` is answered only when it was offered; the port (RFC 3605) is said in any case. */
function rtcpAttributes(port: number, mayMultiplex: boolean): SdpAttribute[] {
  const place = { name: 'rtcp', value: `${port}` };
  return mayMultiplex ? [place, { name: 'rtcp-mux' }] : [place];
}

function isRtcpMux({ name }: SdpAttribute): boolean {
  return name === 'rtcp-mux';
}

/** RFC 3264 §6: port zero; the formats stay because an m= line needs one. */
function refused(media: SdpMedia): SdpMedia {
  return { kind: media.kind, port: 0, protocol: media.protocol, formats: media.formats, attributes: [] };
}

function readFormat(media: SdpMedia, format: string): AudioFormat | undefined {
  if (!/^\d{1,3}$/.test(format) || Number(format) > 127) return undefined;
  const payloadType = Number(format);
  const map = media.attributes.find(
    ({ name, value }) => name === 'rtpmap' && value !== undefined && value.startsWith(`${format} `),
  );
  if (map === undefined) return staticAudioFormats.find((known) => known.payloadType === payloadType);
  const match = /^\d+ +([^/\s]+)\/(\d{1,6})(?:\/(\d{1,2}))?$/.exec(map.value ?? '');
  if (match === null) return undefined;
  const [, name = '', clockRate, channels] = match;
  return {
    payloadType,
    name: name.toUpperCase(),
    clockRate: Number(clockRate),
    channels: Number(channels ?? 1),
  };
}

function sameEncoding(a: AudioFormat, b: AudioFormat): boolean {
  return a.name === b.name && a.clockRate === b.clockRate && a.channels === b.channels;
}

function directionOf(attributes: readonly SdpAttribute[]): SdpDirection | undefined {
  return directions.find((direction) => attributes.some(({ name }) => name === direction));
}

/** RFC 3264 §6.1: we send only if the peer receives, and the other way round. */
function answerDirection(theirs: SdpDirection, wanted: SdpDirection): SdpDirection {
  const send =
    (theirs === 'sendrecv' || theirs === 'recvonly') && (wanted === 'sendrecv' || wanted === 'sendonly');
  const receive =
    (theirs === 'sendrecv' || theirs === 'sendonly') && (wanted === 'sendrecv' || wanted === 'recvonly');
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}
