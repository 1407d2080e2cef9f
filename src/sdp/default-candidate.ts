/**
 * The default candidate of each m-section: what stands in `c=` and `m=`, for peers that know no ICE, or that take a description whose default
 * is none of its candidates for one without ICE (RFC 8839 4.2.5: `ice-mismatch`). A browser that tells its candidates apart from the description writes
 * 0.0.0.0 and port 9 there (RFC 8840 4.1.1), which is right only while candidates are still to come.
 */

/** RFC 8445 5.1.4: which is the likeliest to be reached. */
const likeliest = ['relay', 'srflx', 'prflx', 'host'];

/** The first component over UDP and IPv4. */
const usable = /^a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) typ (\w+)/i;

/** The description with a default wherever there is none and a candidate is at hand; else line for line as it is. */
export function withDefaultCandidates(sdp: string): string {
  const [session = '', ...sections] = sdp.split(/^(?=m=)/m);
  return session + sections.map(withDefault).join('');
}

function withDefault(section: string): string {
  if (!/^m=\S+ 9 /.test(section) || !/^c=IN IP4 0\.0\.0\.0\r?$/m.test(section)) return section;
  const found = section.split(/\r?\n/).flatMap((line) => {
    const [, address, port, type = ''] = usable.exec(line) ?? [];
    return address === undefined || port === undefined ? [] : [{ address, port, rank: likeliest.indexOf(type) }];
  });
  const [best] = found.filter(({ rank }) => rank >= 0).sort((one, other) => one.rank - other.rank);
  if (best === undefined) return section;
  return section.replace(/^(m=\S+) 9 /, `$1 ${best.port} `).replace(/^c=IN IP4 0\.0\.0\.0(?=\r?$)/m, `c=IN IP4 ${best.address}`);
}
