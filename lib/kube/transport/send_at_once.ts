/**
 * Nagle's algorithm while a connection is made.
 *
 * The runtime turns TCP_NODELAY off as soon as a connection is established. After the TLS handshake the first request
 * follows the client's last handshake message at once, and would wait until the server has acknowledged that: a round
 * trip. The runtime does not tell when a connection is established, so the option is set again and again.
 *
 * @module
 */

const FIRST_PAUSE_MS = 2;

/**
 * A handshake takes a round trip or more, and begins one after the connection was asked for. With pauses that grow by
 * half, one falls between the two at any round trip of more than a few milliseconds; for shorter ones it does not matter.
 */
const GROWTH = 1.5;

/**
 * Calls a function with growing pauses, until told to stop.
 *
 * @param sendAtOnce turns Nagle's algorithm off for the connections that there are.
 * @returns stops it.
 */
export function whileConnecting(sendAtOnce: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const again = (pauseMs: number) => {
    timer = setTimeout(() => {
      sendAtOnce();
      again(pauseMs * GROWTH);
    }, pauseMs);
  };
  again(FIRST_PAUSE_MS);
  return () => clearTimeout(timer);
}
