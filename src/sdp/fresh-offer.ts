/**
 * What a client said last in one call, offered to somebody new. They know nothing of a hold that the far end before had asked for, and may be
 * either side of DTLS (RFC 5763 section 5).
 */
export function asFreshOffer(sdp: string): string {
  const [session = '', ...sections] = sdp.split(/^(?=m=)/m);
  return [session, ...sections.map((section) => (section.startsWith('m=audio ') ? unheld(section) : section))]
    .join('')
    .replace(/^a=setup:(?:active|passive)(?=\r?$)/gm, 'a=setup:actpass');
}

/** A client without a camera says `recvonly` of its video, and means it. */
function unheld(audio: string): string {
  return audio.replace(/^a=(?:recvonly|inactive)(?=\r?$)/m, 'a=sendrecv');
}
