import { appErrors } from './apps.ts';
import { configurationErrors } from './configuration.ts';
import { dnsErrors } from './dns.ts';
import type { CatalogueEntry } from './entry.ts';
import { internalErrors } from './internal.ts';
import { loggingErrors } from './logging.ts';
import { mediaErrors } from './media.ts';
import { netErrors } from './net.ts';
import { pkiErrors } from './pki.ts';
import { serviceErrors } from './service.ts';
import { sipErrors } from './sip.ts';
import { webConferencingErrors } from './web-conferencing.ts';
import { xmppErrors } from './xmpp.ts';

export type { Blame, Catalogue, CatalogueEntry } from './entry.ts';

const areas = {
  ...appErrors,
  ...dnsErrors,
  ...configurationErrors,
  ...internalErrors,
  ...loggingErrors,
  ...mediaErrors,
  ...netErrors,
  ...pkiErrors,
  ...serviceErrors,
  ...sipErrors,
  ...webConferencingErrors,
  ...xmppErrors,
};

export type ErrorCode = keyof typeof areas;

/** Every error this product can report, by its stable code. Codes are never reused. */
export const catalogue: { readonly [code in ErrorCode]: CatalogueEntry } = areas;
