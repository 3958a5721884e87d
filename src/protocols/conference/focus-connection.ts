/**
 * ALPN id by which a focus tells the front end that the connection is for conferences: the certificate says which host it
 * is, and another service of that host may have one too. A next hop that does not know it takes `sip/2`.
 */
export const FOCUS_ALPN = 'sallyport-focus/1';
