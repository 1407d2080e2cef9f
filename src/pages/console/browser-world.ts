/** The clock and the WebSockets of the browser that the console runs in. */
import type { LiveWorld } from './live.js';

export const browserWorld: LiveWorld = {
  now: () => Date.now(),
  after: (ms, act) => {
    const timer = window.setTimeout(act, ms);
    return () => {
      window.clearTimeout(timer);
    };
  },
  openSocket: (path, { onOpen, onMessage, onClose }) => {
    const url = new URL(path, document.baseURI);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    socket.onopen = onOpen;
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      onMessage(data);
    };
    socket.onclose = onClose;
    return socket;
  },
};
