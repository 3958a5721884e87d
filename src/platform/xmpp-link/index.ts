export {
  type EdgeArrival,
  EdgeLinks,
  type EdgeLinksSettings,
  type EdgeLinksUser,
} from './edge-links.ts';
export {
  type GatewayArrival,
  GatewayLinks,
  type GatewayLinksSettings,
  type GatewayLinksUser,
} from './gateway-links.ts';
export type { LinkLimits } from './link.ts';
export type { RouterLimits } from './link-router.ts';
export type { LinkNotice, LinkState } from './link-set.ts';
export type { LinkFailure } from './outgoing.ts';
