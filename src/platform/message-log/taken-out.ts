/** Stands where something was that must not be in a log. */
export const TAKEN_OUT = '[taken out]';
