/** What a description offers or settles on, read without taking it apart. */
import { staticCodecs } from './codecs.js';

/** RFC 8866 section 5.14: port 0 means that the stream is not wanted. */
const liveVideo = /^m=video (?!0+[ /])\d/m;

/** Whether video is offered: an `m=video` whose port is not 0. */
export function offersVideo(sdp: string): boolean {
  return liveVideo.test(sdp);
}

const mediaLine = /^m=(audio|video) (\d{1,5})(?:\/\d+)? \S+ (\S{1,64})/;

/**
 * What an answer settles on: for each audio or video stream that it takes, the encoding name of its first format (RFC 3264 section 6.1: the
 * answerer's preference), lower case. A format that nothing explains goes by its number.
 */
export function usedCodecs(answer: string): string[] {
  const used: string[] = [];
  for (let start = answer.indexOf('\nm='); start >= 0; ) {
    const next = answer.indexOf('\nm=', start + 1);
    const [, , port, format] = mediaLine.exec(answer.slice(start + 1, start + 256)) ?? [];
    if (format !== undefined && Number(port) !== 0) used.push(nameOf(answer, format, start, next < 0 ? answer.length : next));
    start = next;
  }
  return used;
}

function nameOf(answer: string, format: string, start: number, end: number): string {
  const prefix = `\na=rtpmap:${format} `;
  const at = answer.indexOf(prefix, start);
  const name = at < 0 || at >= end ? undefined : /^[\w.-]{1,32}/.exec(answer.slice(at + prefix.length, at + prefix.length + 32))?.[0];
  return name?.toLowerCase() ?? staticCodecs.get(format)?.name ?? format;
}
