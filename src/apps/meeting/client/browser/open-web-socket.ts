/** What a channel says to whoever opened it; the same as in `protocols/meeting-session`, which is loaded later. */
interface ChannelUser {
  onOpen(): void;
  onData(bytes: Uint8Array): void;
  onClose(): void;
}

/** Milliseconds until a WebSocket that does not open is given up: the browser's own patience is minutes. */
const OPEN_MS = 10_000;

export function openWebSocket(
  url: string,
  subprotocol: string,
  user: ChannelUser,
): { send(bytes: Uint8Array): void; close(): void } {
  const socket = new WebSocket(url, subprotocol);
  socket.binaryType = 'arraybuffer';
  let over = false;
  // A page without network hears of its own close only after minutes; the user of the channel hears at once.
  const end = () => {
    if (over) return;
    over = true;
    clearTimeout(late);
    socket.close();
    user.onClose();
  };
  const late = setTimeout(end, OPEN_MS);
  socket.onopen = () => {
    clearTimeout(late);
    if (!over) user.onOpen();
  };
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (over) return;
    user.onData(typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data));
  };
  socket.onclose = end;
  return {
    send: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(new Uint8Array(bytes));
    },
    close: () => queueMicrotask(end),
  };
}
