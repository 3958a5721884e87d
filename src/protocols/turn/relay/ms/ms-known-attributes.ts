import { MsAttributeType } from '#protocols/stun';

/** Attributes that must be understood and are. */
export const knownMsAttributes: ReadonlySet<number> = new Set(Object.values(MsAttributeType));
