export { FrontDoor, type FrontDoorUser, HTTP, SIP } from './front-door.ts';
