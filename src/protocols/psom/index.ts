export { meetingInterfaces } from './meeting/interfaces.ts';
export type { DistributedInterface } from './objects/interface.ts';
