/** What is seen and heard of a call: the other end, and ourselves in the corner. */
import { useEffect, useRef } from 'preact/hooks';
import type { Call } from './phone.js';

export function Screen({ call }: { call: Call }) {
  const remote = call.media.remote.value;
  const local = call.media.local.value;
  const theyShow = remote.getVideoTracks().length > 0;
  const weShow = local.getVideoTracks().length > 0;
  return (
    <>
      <Player stream={new MediaStream(remote.getAudioTracks())} kind="audio" label="Their sound" />
      {theyShow && (
        <div class="screen">
          <Player stream={new MediaStream(remote.getVideoTracks())} kind="video" label="Their picture" />
          {weShow && <Player stream={new MediaStream(local.getVideoTracks())} kind="video" label="Your picture" look="self" />}
        </div>
      )}
      {!theyShow && weShow && <Player stream={new MediaStream(local.getVideoTracks())} kind="video" label="Your picture" look="self alone" />}
    </>
  );
}

function Player({ stream, kind, label, look }: { stream: MediaStream; kind: 'audio' | 'video'; label: string; look?: string }) {
  const element = useRef<HTMLVideoElement & HTMLAudioElement>(null);
  const tracks = stream
    .getTracks()
    .map(({ id }) => id)
    .join();
  useEffect(() => {
    if (element.current !== null) element.current.srcObject = stream;
    // The same tracks in a new stream would only make it stutter.
  }, [tracks]);
  return kind === 'audio' ? <audio ref={element} autoplay aria-label={label} /> : <video ref={element} autoplay playsinline muted aria-label={label} class={look} />;
}
