export type { Content, ContentAnswer, ContentRefusal, ContentRequest } from './content.ts';
export {
  type Announcement,
  type EdgeLinkState,
  EdgeLinks,
  type EdgeLinksSettings,
  type EdgeLinksUser,
} from './edge-links.ts';
export type { EdgeHello, EndState, OutsidePlace } from './hello.ts';
export type { LinkEnd, LinkNotice } from './link-notice.ts';
export { type LinkLimits, PSOM_LINK_ALPN } from './link-transport.ts';
export {
  type ServiceLinkState,
  ServiceLinks,
  type ServiceLinksSettings,
  type ServiceLinksUser,
  type ServiceNode,
} from './service-links.ts';
