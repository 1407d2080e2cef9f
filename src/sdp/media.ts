/** What a description offers, read without taking it apart. */

/** RFC 8866 section 5.14: port 0 means that the stream is not wanted. */
const liveVideo = /^m=video (?!0+[ /])\d/m;

/** Whether video is offered: an `m=video` whose port is not 0. */
export function offersVideo(sdp: string): boolean {
  return liveVideo.test(sdp);
}
