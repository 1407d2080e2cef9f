/** The configuration of the Kamailio under test: a small registrar and proxy as an operator would write one. */
import type { Certificates } from './certificates.js';

export type Transport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

export interface KamailioOptions {
  /** Callers from this domain must answer a 407 for INVITE. Default false. */
  authInvite?: boolean;
  /** Where numbers that begin with 9 and users that begin with `sipp-uas` are: `udp` or `tcp` of 127.0.0.1. */
  uas?: { port: number; transport?: 'udp' | 'tcp' };
  /** Another one, over udp: numbers that begin with 97 are there, and those with 98 at both. */
  secondUas?: { port: number };
  /** Other addresses of this machine where it takes udp, beside 127.0.0.1, and relays between. */
  alsoAt?: readonly string[];
  /** The longest expiry it grants, seconds. Default 3600. */
  maxExpires?: number;
  /** REGISTER for less is answered 423 with this Min-Expires, seconds. Default 0: anything goes. */
  minExpires?: number;
  /** Its shared memory, megabytes, for many users; with it comes a receive buffer for their bursts. Default 64, and the system's buffer. */
  sharedMemoryMb?: number;
}

/** The password rule of this registrar, so that it needs no table of users. */
export function passwordOf(user: string): string {
  return `secret-${user}`;
}

/**
 * Kamailio 5.6 configuration. One udp worker: two of them may relay an ACK and the BYE behind it in the wrong
 * order, which is true to life but fails sipp's scenarios. No `alias`: it would make every Contact on
 * 127.0.0.1 "myself".
 */
export function kamailioConfig(ports: Record<Transport, number>, certificates: Certificates, options: KamailioOptions): string {
  const uas = options.uas === undefined ? '' : `sip:127.0.0.1:${options.uas.port};transport=${options.uas.transport ?? 'udp'}`;
  const secondUas = `sip:127.0.0.1:${options.secondUas?.port ?? 0}`;
  return `#!KAMAILIO
${options.authInvite === true ? '#!define AUTH_INVITE' : ''}
${uas === '' ? '' : '#!define WITH_UAS'}
${options.secondUas === undefined ? '' : '#!define WITH_SECOND_UAS'}
debug=2
log_stderror=yes
auto_aliases=no
children=1
tcp_children=2
enable_tls=yes
tcp_accept_no_cl=yes
tcp_connection_lifetime=3605
tcp_max_connections=4096
tcp_crlf_ping=yes
server_header="Server: kamailio"
user_agent_header="User-Agent: kamailio"
listen=udp:127.0.0.1:${ports.udp}
${(options.alsoAt ?? []).map((address) => `listen=udp:${address}:${ports.udp}`).join('\n')}
${options.alsoAt === undefined ? '' : 'mhomed=yes'}
listen=tcp:127.0.0.1:${ports.tcp}
listen=tls:127.0.0.1:${ports.tls}
listen=tcp:127.0.0.1:${ports.ws}
listen=tls:127.0.0.1:${ports.wss}

loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "sanity.so"
loadmodule "xlog.so"
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "nathelper.so"
loadmodule "auth.so"
loadmodule "tls.so"
loadmodule "xhttp.so"
loadmodule "websocket.so"
loadmodule "jsonrpcs.so"

modparam("jsonrpcs", "transport", 1)
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "${certificates.cert}")
modparam("tls", "private_key", "${certificates.key}")
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "handle_lost_tcp", 1)
modparam("usrloc", "timer_interval", 1)
modparam("registrar", "max_expires", ${options.maxExpires ?? 3600})
modparam("registrar", "min_expires", ${options.minExpires ?? 0})
modparam("registrar", "received_avp", "$avp(received)")
modparam("nathelper", "received_avp", "$avp(received)")
modparam("rr", "append_fromtag", 1)
# Without a nonce count every nonce of one second is the same, and a client that reuses one cannot be told from a replay.
modparam("auth", "qop", "auth")
modparam("auth", "nonce_count", 1)
modparam("auth", "nid_pool_no", 4)
modparam("auth", "nonce_expire", 300)

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (!sanity_check("1511", "7")) { exit; }
  force_rport();
  if (proto != UDP && !is_method("REGISTER") && is_present_hf("Contact")) { set_contact_alias(); }

  if (is_method("CANCEL")) {
    if (t_check_trans()) { t_relay(); }
    exit;
  }
  if (has_totag()) {
    if (loose_route()) {
      if (!isdsturiset()) { handle_ruri_alias(); }
      route(RELAY);
    }
    if (is_method("ACK")) {
      if (t_check_trans()) { t_relay(); }
      exit;
    }
    sl_send_reply("404", "Not here");
    exit;
  }
  if (is_method("OPTIONS") && uri == myself && $rU == $null) { sl_send_reply("200", "OK"); exit; }
  if (is_method("REGISTER")) { route(REGISTER); }
  if (!is_method("INVITE|MESSAGE|OPTIONS|REFER|SUBSCRIBE")) { sl_send_reply("405", "Method Not Allowed"); exit; }

#!ifdef AUTH_INVITE
  if (is_method("INVITE")) {
    if (!pv_proxy_authenticate("$fd", "secret-$au", "0")) { auth_challenge("$fd", "1"); exit; }
    if ($au != $fU) { sl_send_reply("403", "Forbidden caller"); exit; }
    consume_credentials();
  }
#!endif
  t_check_trans();
  record_route();

#!ifdef WITH_SECOND_UAS
  if ($rU =~ "^97") {
    $du = "${secondUas}";
    route(RELAY);
  }
  if ($rU =~ "^98") {
    append_branch("$ru");
    $(branch(dst_uri)[0]) = "${secondUas}";
    $du = "${uas}";
    route(RELAY);
  }
#!endif
#!ifdef WITH_UAS
  if ($rU =~ "^(9|sipp-uas)") {
    $du = "${uas}";
    route(RELAY);
  }
#!endif
  if (!lookup("location")) {
    switch ($rc) {
      case -1:
      case -3: sl_send_reply("404", "Not Found"); exit;
      case -2: sl_send_reply("405", "Method Not Allowed"); exit;
    }
  }
  route(RELAY);
}

route[REGISTER] {
  if (!pv_www_authenticate("$td", "secret-$au", "0")) { auth_challenge("$td", "1"); exit; }
  if ($au != $tU) { sl_send_reply("403", "Forbidden address of record"); exit; }
  if (proto != UDP) { fix_nated_register(); }
  if (!save("location")) { sl_reply_error(); }
  exit;
}

route[RELAY] {
  if (is_method("INVITE")) { t_on_reply("CONTACT"); }
  if (!t_relay()) { sl_reply_error(); }
  exit;
}

onreply_route[CONTACT] {
  if (proto != UDP && is_present_hf("Contact")) { set_contact_alias(); }
}

event_route[xhttp:request] {
  if ($Rp == ${ports.ws} || $Rp == ${ports.wss}) {
    if ($hdr(Upgrade) =~ "websocket" && $hdr(Sec-WebSocket-Protocol) =~ "sip") {
      ws_handle_handshake();
      exit;
    }
    xhttp_reply("426", "Upgrade Required", "", "");
    exit;
  }
  if ($hu == "/rpc") { jsonrpc_dispatch(); exit; }
  xhttp_reply("404", "Not Found", "", "");
}
`;
}
