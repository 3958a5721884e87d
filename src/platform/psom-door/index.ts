export {
  DOOR_ALPN,
  type DoorRefusal,
  type DoorSettings,
  type DoorUser,
  PSOM_ALPN,
  PsomDoor,
  refuseJoin,
} from './door.ts';
export type { Join } from './join-reader.ts';
export { BUILT_SITE, loadSite, type Site } from './site.ts';
