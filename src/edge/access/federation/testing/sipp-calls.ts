import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChildProgram } from '../../../../apps/lab/testing/child-program.ts';

export interface SippCalls {
  readonly folder: string;
  /** SIPp's own address and port, UDP. */
  readonly address: string;
  readonly port: number;
  readonly calls: number;
}

/** SIPp as the user of a partner who calls: INVITE, 180, 200, ACK, BYE, so many times, by way of a proxy at `proxy`. */
export function sippCaller(
  options: SippCalls & { readonly from: string; readonly to: string; readonly proxy: string },
): ChildProgram {
  const { from, to, proxy, calls } = options;
  return sipp(options, caller(from, to), [proxy, '-m', String(calls), '-r', '10']);
}

/** SIPp as the user of a partner who is called. */
export function sippCallee(options: SippCalls): ChildProgram {
  mkdirSync(options.folder, { recursive: true });
  return sipp(options, callee(), ['-m', String(options.calls)]);
}

function sipp({ folder, address, port }: SippCalls, scenario: string, more: readonly string[]): ChildProgram {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `scenario-${port}.xml`);
  writeFileSync(file, scenario);
  return new ChildProgram({
    program: 'sipp',
    debianPackage: 'sip-tester',
    parameters: [
      '-sf',
      file,
      '-i',
      address,
      '-p',
      String(port),
      '-nostdin',
      '-timeout',
      '60s',
      '-timeout_error',
      ...more,
    ],
    folder,
  });
}

function scenario(name: string, steps: readonly string[]): string {
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="${name}">\n${steps.join('\n')}\n</scenario>\n`;
}

function sends(lines: readonly string[], attributes = ''): string {
  return `<send ${attributes}><![CDATA[\n\n${lines.join('\n')}\n\n]]></send>`;
}

const SDP = [
  'v=0',
  'o=sipp 1 1 IN IP4 [local_ip]',
  's=-',
  'c=IN IP4 [local_ip]',
  't=0 0',
  'm=audio 9 RTP/AVP 0',
  '',
];
const OWN_CONTACT = 'Contact: <sip:bob@[local_ip]:[local_port]>';
const VIA = 'Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]';

function caller(from: string, to: string): string {
  const common = (method: string, number: number, target: string) => [
    `${method} ${target} SIP/2.0`,
    VIA,
    'Max-Forwards: 70',
    `From: <${from}>;tag=[call_number]`,
    'Call-ID: [call_id]',
    `CSeq: ${number} ${method}`,
  ];
  const within = (method: string, number: number) => [
    ...common(method, number, '[next_url]'),
    `To: <${to}>[peer_tag_param]`,
    '[routes]',
    'Content-Length: 0',
  ];
  return scenario('caller', [
    sends(
      [
        ...common('INVITE', 1, to),
        `To: <${to}>`,
        OWN_CONTACT,
        'Content-Type: application/sdp',
        'Content-Length: [len]',
        '',
        ...SDP,
      ],
      'retrans="2000"',
    ),
    '<recv response="100" optional="true"/>',
    '<recv response="180" optional="true" rrs="true"/>',
    '<recv response="200" rrs="true"/>',
    sends(within('ACK', 1)),
    '<pause milliseconds="100"/>',
    sends(within('BYE', 2), 'retrans="2000"'),
    '<recv response="200"/>',
  ]);
}

function callee(): string {
  const answer = (status: string, more: readonly string[]) => [
    `SIP/2.0 ${status}`,
    '[last_Via:]',
    '[last_From:]',
    '[last_To:];tag=[call_number]',
    '[last_Call-ID:]',
    '[last_CSeq:]',
    ...more,
  ];
  return scenario('callee', [
    '<recv request="INVITE" rrs="true"/>',
    sends(answer('180 Ringing', ['[last_Record-Route:]', OWN_CONTACT, 'Content-Length: 0'])),
    sends(
      answer('200 OK', [
        '[last_Record-Route:]',
        OWN_CONTACT,
        'Content-Type: application/sdp',
        'Content-Length: [len]',
        '',
        ...SDP,
      ]),
      'retrans="2000"',
    ),
    '<recv request="ACK"/>',
    '<recv request="BYE"/>',
    sends([
      'SIP/2.0 200 OK',
      '[last_Via:]',
      '[last_From:]',
      '[last_To:]',
      '[last_Call-ID:]',
      '[last_CSeq:]',
      'Content-Length: 0',
    ]),
  ]);
}
