import assert from 'node:assert/strict';
import { SipSide } from '#platform/sip-agent';
import type { SipFlow } from '#platform/sip-endpoint';
import { type ConferenceInfo, type Place, parseJoinAnswer, readConferenceInfo } from '#protocols/conference';
import {
  answerChallenge,
  buildRequest,
  formatCredentials,
  parseChallenge,
  type SipRequest,
  type SipResponse,
} from '#protocols/sip';
import { conferenceSigningKey } from '#protocols/tokens';
import { type AssertedSource, formatAssertedSource } from '#protocols/trust-marking';
import { MemoryNetwork, Peer } from '../../../../platform/sip-endpoint/testing/memory-network.ts';
import type { ConferenceRecord } from '../../meeting/records.ts';
import { Meetings, type NewMeeting } from '../../meetings.ts';
import type { MeetingSettings } from '../../settings.ts';
import { ConferenceStore } from '../../store/conference-store.ts';
import { withoutFiles } from '../../testing/no-files.ts';
import { Tokens } from '../../tokens.ts';
import { Focus } from '../focus.ts';
import type { FocusSettings } from '../focus-context.ts';
import { focusMetrics } from '../focus-metrics.ts';

export const DOMAIN = 'conf.example.com';
export const ALICE = 'alice@example.com';
export const GUEST = '3f9c2b7d@anonymous.invalid';
const OUTSIDE: Place = { webSocket: 'wss://conf.example.com/psom', host: 'conf.example.com', port: 443 };
const INSIDE: Place = { webSocket: 'wss://fe1.corp.example:5443/psom', host: 'fe1.corp.example', port: 5443 };
const DAY_MS = 86_400_000;

const meetingSettings: MeetingSettings = {
  domain: DOMAIN,
  meetingUrl: 'https://conf.example.com/',
  ...{ graceMs: 120_000, expiryMs: DAY_MS, keptMs: DAY_MS, meetings: 100 },
  limits: { participants: 250, standings: 1000 },
} as MeetingSettings;

type Headers = readonly (readonly [string, string])[];

export interface CallWords {
  readonly uri?: string;
  readonly from?: string;
  /** Undefined: not marked, somebody inside. */
  readonly mark?: AssertedSource['source'];
  readonly name?: string;
  readonly headers?: Headers;
  readonly contact?: string;
  readonly cseq?: number;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly callId?: string;
  /** Without Accept. */
  readonly bare?: boolean;
}

let count = 0;

/** The focus with real meetings, in front of a next hop that does as the test says. */
export class FocusStage {
  readonly network = new MemoryNetwork();
  readonly hop: Peer;
  readonly meetings: Meetings;
  readonly focus: Focus;
  readonly store: ConferenceStore;
  settings: FocusSettings = {
    domains: new Set(['example.com']),
    ...{ notifyMs: 5000, calls: 100, subscriptions: 100 },
  };
  places = [OUTSIDE];
  reachable = true;

  constructor() {
    const { clock, random, log, metrics } = this.network;
    const store = ConferenceStore.open(':memory:');
    assert.ok(store.ok);
    this.store = store.value;
    const signing = conferenceSigningKey(new Uint8Array(32).fill(7));
    const tokens = new Tokens({ current: signing, all: [signing] }, 'fe1.corp.example', random);
    this.meetings = new Meetings({
      clock,
      random,
      log,
      store: this.store,
      tokens,
      ...withoutFiles(),
      settings: meetingSettings,
    });
    const [ours, theirs] = this.network.pair();
    this.hop = new Peer(theirs);
    const endpoint = this.network.endpoint({
      onRequest: (...heard) => this.focus.onRequest(...heard),
      onAck: (request) => this.focus.onAck(request),
      onCancel: () => this.focus.onCancel(),
    });
    const flow = endpoint.addFlow(ours);
    assert.ok(flow !== undefined);
    const pool = poolOf(flow, () => this.reachable);
    const sip = new SipSide({ clock, random, endpoint, pool, own: { host: '10.0.0.2', port: 5061 } });
    this.focus = new Focus({
      ...{ clock, random, log, sip, metrics: focusMetrics(metrics), conferences: this.meetings },
      settings: () => this.settings,
      places: (outside) => (outside ? this.places : [INSIDE]),
    });
  }

  create(change: Partial<NewMeeting> = {}): Readonly<ConferenceRecord> {
    const made = this.meetings.create({
      ...{ title: 'Budget', organizer: ALICE, presenters: [], guests: true, federated: true },
      ...change,
    });
    assert.ok(made.ok);
    return made.value;
  }
  meeting(id: string) {
    const meeting = this.meetings.open(id);
    assert.ok(meeting !== undefined);
    return meeting;
  }
  uriOf(id: string): string {
    return `sip:${id}@${DOMAIN}`;
  }

  /** A request arrives from the next hop, and everything that follows from it leaves. */
  sends(
    method: string,
    id: string,
    words: CallWords = {},
  ): { readonly callId: string; readonly cseq: number } {
    count += 1;
    const { from = ALICE, mark, name, headers = [], cseq = 1, fromTag = 'c', toTag, bare = false } = words;
    const callId = words.callId ?? `call-${count}`;
    const uri = words.uri ?? this.uriOf(id);
    const marks: Headers =
      mark === undefined
        ? []
        : [
            [
              'Sallyport-Asserted-Source',
              formatAssertedSource({ address: from, source: mark, edge: 'edge1' }),
            ],
          ];
    const accept: Headers =
      method === 'INVITE' && !bare ? [['Accept', 'application/vnd.sallyport.conference+json']] : [];
    this.hop.send(
      buildRequest({
        ...{ method, uri },
        headers: [
          ['Via', `SIP/2.0/TLS fe1.corp.example;branch=z9hG4bKfocus${count}`],
          ['Max-Forwards', '70'],
          ['From', `${name === undefined ? '' : `"${name}" `}<sip:${from}>;tag=${fromTag}`],
          ['To', `<${this.uriOf(id)}>${toTag === undefined ? '' : `;tag=${toTag}`}`],
          ['Call-ID', callId],
          ['CSeq', `${cseq} ${method}`],
          ['Contact', words.contact ?? `<sip:${from.split('@')[0]}@192.0.2.7;transport=ws>`],
          ['Record-Route', '<sip:fe1.corp.example;lr>'],
          ...accept,
          ...marks,
          ...headers,
        ],
      }),
    );
    this.network.settle();
    return { callId, cseq };
  }
  response(status: number): SipResponse {
    const first = this.hop.received[0];
    if (first?.kind === 'response' && first.status === 100) this.hop.received.shift();
    return this.hop.takeResponse(status);
  }
  /** What the 200 tells, and the words for what follows in the dialog. */
  joins(id: string, words: CallWords = {}) {
    const { callId, cseq } = this.sends('INVITE', id, words);
    const response = this.response(200);
    const inDialog = { ...words, callId, toTag: response.to.tag ?? '', headers: [] };
    this.sends('ACK', id, { ...inDialog, cseq });
    return { answer: answerOf(response), response, inDialog };
  }
  /** A guest is asked for the key and tells it. */
  guestSends(
    method: string,
    id: string,
    key: string,
    words: CallWords & { algorithm?: string; user?: string } = {},
  ) {
    const guest: CallWords = { from: GUEST, mark: 'guest', ...words };
    const { callId } = this.sends(method, id, guest);
    const asked = this.response(401);
    const wanted = words.algorithm ?? 'SHA-256';
    const challenges = asked.values('WWW-Authenticate').map((text) => parseChallenge(text));
    const challenge = challenges.find((one) => one.ok && one.value.algorithm === wanted);
    assert.ok(challenge?.ok);
    const credentials = answerChallenge(challenge.value, {
      ...{ username: words.user ?? id, password: key, method, uri: words.uri ?? this.uriOf(id) },
      ...{ cnonce: 'c0ffee', nc: 1 },
    });
    const headers: Headers = [...(words.headers ?? []), ['Authorization', formatCredentials(credentials)]];
    const again: CallWords = { ...guest, callId, cseq: 2, headers };
    this.sends(method, id, again);
    return again;
  }

  /** A NOTIFY, which is answered; undefined without a document. */
  notified(status = 200): { readonly info: ConferenceInfo | undefined; readonly request: SipRequest } {
    const request = this.hop.takeRequest('NOTIFY');
    this.hop.answer(request, status);
    this.network.settle();
    if (request.body.length === 0) return { info: undefined, request };
    const read = readConferenceInfo(request.body);
    assert.ok(read.ok, JSON.stringify(read));
    return { info: read.value, request };
  }
  passes(ms: number): void {
    this.network.wait(ms);
  }
}

export function answerOf(response: SipResponse) {
  assert.equal(response.header('Content-Type'), 'application/vnd.sallyport.conference+json');
  const parsed = parseJoinAnswer(response.body.toString());
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

function poolOf(flow: SipFlow, reachable: () => boolean) {
  const member = {
    target: { name: 'fe1.corp.example', address: '127.0.0.1', port: 5061 },
    ...{ state: 'healthy' as const, reason: undefined, connections: 1, pending: 0 },
  };
  return {
    memberFor: () => member,
    members: () => [member],
    whenOpen: (_member: unknown, use: (open: SipFlow) => void, refused: (why: 'dial-failed') => void) =>
      reachable() ? use(flow) : refused('dial-failed'),
  };
}
