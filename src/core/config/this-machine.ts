const loopback = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i;

/**
 * True for the name of a host that is this machine by itself: `localhost`, 127.0.0.0/8 (RFC 1122, 3.2.1.3) or `::1`. A
 * name that merely begins so, such as `127.0.0.1.example`, is another machine's.
 */
export const isThisMachine = (hostname: string): boolean => loopback.test(hostname);
