import type { Catalogue } from './entry.ts';

/** Errors of the headless softphone and the lab (SLP-APP-nnnn). */
export const appErrors = {
  'SLP-APP-0001': {
    blame: 'operator',
    summary: 'no UDP socket can be bound for media',
    remedy: 'Check that the local address named exists on this machine and is not blocked for this user.',
  },
  'SLP-APP-0002': {
    blame: 'peer',
    summary: 'the relay did not answer',
    remedy:
      'Check that the A/V Edge service is healthy and that UDP 3478 reaches it from here (port rows ext-14, int-06).',
  },
  'SLP-APP-0003': {
    blame: 'peer',
    summary: 'the server named no A/V Authentication service at sign-in',
    remedy: 'List an edge in frontEnd.edges of internal.yaml.',
  },
  'SLP-APP-0004': {
    blame: 'peer',
    summary: 'the A/V Authentication service granted no relay credentials',
    remedy:
      'The reason phrase stands behind the colon; `sallyport status` on the edge shows whether the service is healthy.',
  },
  'SLP-APP-0005': {
    blame: 'peer',
    summary: 'the server refused a request',
    remedy:
      'Method, status and reason stand behind the colon; the log of the service that refused has the rule.',
  },
  'SLP-APP-0006': {
    blame: 'peer',
    summary: 'a request got no final answer',
    remedy: 'Check that the next hop is reachable: `sallyport status` on the edge.',
  },
  'SLP-APP-0007': {
    blame: 'peer',
    summary: 'an answer makes no dialog',
    remedy: 'The far side answered without a tag or a Contact that can be used; look at its SIP trace.',
  },
  'SLP-APP-0008': {
    blame: 'peer',
    summary: 'an answer holds no audio that we can use',
    remedy: 'The far side needs an RTP/AVP audio stream with PCMU.',
  },
  'SLP-APP-0009': {
    blame: 'self',
    summary: 'the demonstration did not go as it has to',
    remedy:
      'The step that failed stands behind the colon; the logs of both programs lie in the folder of the lab.',
  },
} as const satisfies Catalogue;
