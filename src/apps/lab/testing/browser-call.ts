import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { type BrowserOptions, launchBrowser } from './browser.ts';

const DEADLINE_MS = 60_000;

/** One relay as a page is told of it (RTCIceServer). */
export interface IceServer {
  readonly urls: string;
  readonly username: string;
  readonly credential: string;
}

/** What a page sees of its call. */
export interface CallStatistics {
  /** Of the chosen pair: what kind both candidates are, and by what transport this page reaches its relay. */
  readonly local: string;
  readonly remote: string;
  readonly transport: string;
  readonly relayed: string;
  readonly received: number;
  readonly lost: number;
  /** Loudness heard, added up; nothing but silence is 0. */
  readonly energy: number;
}

/** The page: one RTCPeerConnection, its microphone (a test tone of the browser) and a data channel that echoes. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>call</title><script type="module">
let pc, channel;
window.heard = [];
const listen = (it, echo) => {
  it.onmessage = ({ data }) => { window.heard.push(data); if (echo) it.send('echo: ' + data); };
};
window.prepare = async (server, calls) => {
  pc = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: 'relay' });
  window.errors = [];
  pc.onicecandidateerror = ({ errorCode, errorText }) => window.errors.push(errorCode + ' ' + errorText);
  const sound = document.createElement('audio');
  pc.ontrack = ({ streams }) => { sound.srcObject = streams[0]; sound.play(); };
  const media = await navigator.mediaDevices.getUserMedia({ audio: true });
  for (const track of media.getTracks()) pc.addTrack(track, media);
  if (calls) { channel = pc.createDataChannel('words'); listen(channel, false); }
  else pc.ondatachannel = (event) => { channel = event.channel; listen(channel, true); };
};
const gathered = () => new Promise((resolve) => {
  const look = () => pc.iceGatheringState === 'complete' && resolve(pc.localDescription.sdp);
  pc.onicegatheringstatechange = look;
  look();
});
window.offer = async () => { await pc.setLocalDescription(); return gathered(); };
window.answer = async (sdp) => {
  await pc.setRemoteDescription({ type: 'offer', sdp });
  await pc.setLocalDescription();
  return gathered();
};
window.accept = (sdp) => pc.setRemoteDescription({ type: 'answer', sdp });
window.connected = () => pc.connectionState === 'connected' && channel?.readyState === 'open';
window.state = () => pc.connectionState;
window.say = (text) => channel.send(text);
window.statistics = async () => {
  const all = [...(await pc.getStats()).values()];
  const by = (id) => all.find((one) => one.id === id);
  const pair = by(all.find(({ type }) => type === 'transport')?.selectedCandidatePairId);
  const [local, remote] = [by(pair?.localCandidateId), by(pair?.remoteCandidateId)];
  const audio = all.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
  return {
    local: local?.candidateType ?? '', remote: remote?.candidateType ?? '',
    transport: local?.relayProtocol ?? '', relayed: (local?.address ?? '') + ' ' + (local?.port ?? ''),
    received: audio?.packetsReceived ?? 0, lost: audio?.packetsLost ?? 0, energy: audio?.totalAudioEnergy ?? 0,
  };
};
window.look = async () => { ({ received: window.packets, energy: window.energy } = await window.statistics()); };
window.hangUp = () => pc.close();
window.ready = true;
</script>`;

/** Pages in a browser that may use the relay and nothing else; each has a network identity of its own. */
export class CallBrowser {
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #origin: string;
  private constructor(browser: Browser, server: Server) {
    this.#browser = browser;
    this.#server = server;
    this.#origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  static async start(options: BrowserOptions): Promise<CallBrowser> {
    const server = createServer((_request, response) =>
      response.setHeader('Content-Type', 'text/html').end(PAGE),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await launchBrowser({
      ...options,
      flags: [
        '--use-fake-ui-for-media-stream',
        '--use-fake-device-for-media-stream',
        '--autoplay-policy=no-user-gesture-required',
        // Where loopback is the only interface, a browser would otherwise gather nothing.
        '--allow-loopback-in-peer-connection',
      ],
    });
    return new CallBrowser(browser, server);
  }

  /** A page that knows this relay. */
  async open(relay: IceServer, calls: boolean): Promise<CallPage> {
    const context = await this.#browser.newContext({ permissions: ['microphone'] });
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    await page.goto(this.#origin);
    await page.waitForFunction('window.ready === true');
    await page.evaluate(`window.prepare(${JSON.stringify(relay)}, ${calls})`);
    return new CallPage(page);
  }
  async stop(): Promise<void> {
    await this.#browser.close();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** One end of a call. */
export class CallPage {
  readonly #page: Page;
  constructor(page: Page) {
    this.#page = page;
  }

  /** Offers, has it answered by the other, and waits until both are connected and the data channel is open. */
  async call(other: CallPage): Promise<void> {
    const offer = await this.#ask('offer');
    await this.#ask('accept', await other.#ask('answer', offer));
    await Promise.all([this.#until('window.connected()'), other.#until('window.connected()')]);
  }
  /** Candidates of what this page would offer, one line each; empty when no relay let it in. */
  async candidates(): Promise<string[]> {
    return String(await this.#ask('offer'))
      .split('\r\n')
      .filter((line) => line.startsWith('a=candidate:'));
  }
  /** What the browser said of relays that it could not use. */
  async errors(): Promise<string[]> {
    return (await this.#page.evaluate('window.errors')) as string[];
  }
  say(text: string): Promise<unknown> {
    return this.#ask('say', text);
  }
  async hears(text: string): Promise<void> {
    await this.#until(`window.heard.includes(${JSON.stringify(text)})`);
  }
  /** Waits until so many packets of audio have come, and something else than silence in them. */
  async hearsAudio(packets: number): Promise<CallStatistics> {
    await this.#until(`(window.look(), window.packets >= ${packets} && window.energy > 0)`);
    return this.statistics();
  }
  async statistics(): Promise<CallStatistics> {
    return (await this.#ask('statistics')) as CallStatistics;
  }
  async close(): Promise<void> {
    await this.#ask('hangUp');
    await this.#page.context().close();
  }

  #ask(name: string, ...parameters: unknown[]): Promise<unknown> {
    return this.#page.evaluate(`window.${name}(...${JSON.stringify(parameters)})`);
  }
  async #until(expression: string): Promise<void> {
    await this.#page.waitForFunction(expression, undefined, { polling: 100 });
  }
}
