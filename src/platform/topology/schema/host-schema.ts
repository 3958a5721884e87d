import type { z } from 'zod';
import * as setting from './setting.ts';

const NAME = 'a fully qualified domain name';
export const ADDRESSES = 'a list of IPv4 and IPv6 addresses';

/** Certificate and key of one identity. */
export function keyPair(sentence: string, basename: string) {
  return setting.section(sentence, keyPairFiles(basename));
}

/** Further identities, each for the clients that ask for its name (RFC 6066 §3). */
export function namedKeyPairs(sentence: string) {
  return setting.sectionsOrNone(sentence, {
    name: setting.text(NAME, setting.domainName, {
      sentence: 'The name that clients ask for, which the certificate must hold.',
      reload: 'live',
      example: 'sip.second.example',
    }),
    ...keyPairFiles('second'),
  });
}

function keyPairFiles(basename: string) {
  return {
    certificate: setting.text('the path of a PEM file', setting.filePath, {
      sentence: 'The certificate, followed by its intermediate certificates.',
      reload: 'live',
      example: `certificates/${basename}.crt`,
      path: true,
      file: 'certificates',
    }),
    key: setting.text('the path of a PEM file', setting.filePath, {
      sentence: 'The private key of the certificate, unencrypted, readable by the program only.',
      reload: 'live',
      example: `certificates/${basename}.key`,
      path: true,
      file: 'private-key',
    }),
  };
}

/** The same, but left out it is another identity of the host. */
export function derivedKeyPair(sentence: string, basename: string, other: string) {
  const from = `host.certificates.${other}`;
  return setting.optionalSection(sentence, {
    certificate: setting.derivedText(`${from}.certificate`, 'the path of a PEM file', setting.filePath, {
      sentence: 'The certificate, followed by its intermediate certificates.',
      reload: 'live',
      example: `certificates/${basename}.crt`,
      path: true,
      file: 'certificates',
    }),
    key: setting.derivedText(`${from}.key`, 'the path of a PEM file', setting.filePath, {
      sentence: 'The private key of the certificate, unencrypted, readable by the program only.',
      reload: 'live',
      example: `certificates/${basename}.key`,
      path: true,
      file: 'private-key',
    }),
  });
}

/** The way in for administrators of an edge; there is none unless it is written. */
export const remoteAdministration = setting.optionalSection(
  'From where administrators may log in to this host over SSH.',
  {
    networks: setting.textsOrNone('a list of networks in CIDR form', setting.network, {
      sentence: 'Internal networks of the administrators; none closes the port in the generated rules.',
      reload: 'live',
      example: ['10.45.99.0/24'],
      rows: ['more-04'],
    }),
    port: setting.port(22, { sentence: 'TCP port of the SSH server of this host.', rows: ['more-04'] }),
  },
);

export function internalAddresses() {
  return setting.texts(ADDRESSES, setting.hostAddress, {
    sentence: 'Addresses of the interface towards the internal network.',
    reload: 'live',
    example: ['10.45.16.10'],
  });
}

/** What the host part of both documents has in common. */
export function hostSettings<More extends z.ZodRawShape>(
  program: 'edge' | 'internal',
  metricsPort: number,
  administration: More,
) {
  return {
    name: setting.text(NAME, setting.domainName, {
      sentence: "This host's own name on the internal network; its internal certificate must hold it.",
      reload: 'live',
      example: program === 'edge' ? 'edge1.example.com' : 'fe1.example.com',
    }),
    stateDirectory: setting.text('the path of a folder', setting.filePath, {
      sentence: 'Folder for what the program writes while it runs.',
      reload: 'restart',
      example: `/var/lib/sallyport/${program}`,
      path: true,
    }),
    runAs: setting.optionalText('a user name', setting.userName, {
      sentence: 'User that the service processes run as when the program is started as root.',
      reload: 'restart',
      example: 'sallyport',
    }),
    internalCa: setting.text('the path of a PEM file', setting.filePath, {
      sentence: 'Certificates of the authorities whose word counts for internal peers.',
      reload: 'live',
      example: 'certificates/internal-ca.crt',
      path: true,
      file: 'certificates',
    }),
    administration: setting.optionalSection('How the operator reaches the running program from this host.', {
      socket: setting.derivedText(
        'admin.sock in stateDirectory',
        'the path of a Unix socket',
        setting.filePath,
        {
          sentence: 'Unix socket of the administration commands; its owner alone may use it.',
          reload: 'restart',
          example: `/run/sallyport/${program}.sock`,
          path: true,
        },
      ),
      metrics: setting.optionalSection('Where metrics and health are served over HTTP.', {
        address: setting.textOr('127.0.0.1', 'a loopback address', setting.loopbackAddress, {
          sentence: 'Loopback address of /metrics and /healthz.',
          reload: 'live',
          example: '127.0.0.1',
        }),
        port: setting.port(metricsPort, {
          sentence: 'TCP port of /metrics and /healthz.',
          rows: ['more-01'],
        }),
      }),
      ...administration,
    }),
  };
}

/** Bounds of everything that speaks SIP over TLS. */
export function sipLimits() {
  return {
    handshakeSeconds: setting.integer({
      sentence: 'Longest time from accepting a connection to the end of its TLS handshake.',
      reload: 'live',
      unit: 'seconds',
      default: 10,
      floor: 1,
      ceiling: 120,
    }),
    messageBytes: setting.integer({
      sentence: 'Longest SIP message, start line, headers and body together.',
      reload: 'live',
      unit: 'bytes',
      default: 65536,
      floor: 4096,
      ceiling: 1_048_576,
    }),
    headerLineBytes: setting.integer({
      sentence: 'Longest header line of a SIP message.',
      reload: 'live',
      unit: 'bytes',
      default: 8192,
      floor: 512,
      ceiling: 65536,
    }),
    headers: setting.integer({
      sentence: 'Most header lines in a SIP message.',
      reload: 'live',
      default: 200,
      floor: 32,
      ceiling: 1000,
    }),
    messageSeconds: setting.integer({
      sentence: 'Longest time from the first byte of a SIP message to its last.',
      reload: 'live',
      unit: 'seconds',
      default: 30,
      floor: 1,
      ceiling: 300,
    }),
    outboundBytes: setting.integer({
      sentence: 'Most bytes waiting to be written to one connection; a peer that reads too slowly is closed.',
      reload: 'live',
      unit: 'bytes',
      default: 1_048_576,
      floor: 131_072,
      ceiling: 67_108_864,
    }),
    transactions: setting.integer({
      sentence:
        'Most SIP transactions at a time, of which no client or partner gets more than it leaves to all others; requests beyond it are answered 503.',
      reload: 'live',
      default: 50_000,
      floor: 100,
      ceiling: 1_000_000,
    }),
  };
}
