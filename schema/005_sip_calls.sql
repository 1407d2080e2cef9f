-- One row for each call, written when it is over. Nothing refers to other tables: a record outlives its mapping and its user.
-- A host may use an id again once a call is over, so the start tells calls of one id apart.
create table sip_calls (
  id           text        not null,
  started_at   timestamptz not null,
  rang_at      timestamptz,
  answered_at  timestamptz,
  ended_at     timestamptz not null,
  direction    text        not null,
  mapping_id   bigint,
  peer_type    integer     not null,
  peer_id      bigint      not null,
  peer_str_id  text,
  from_address text        not null,
  to_address   text        not null,
  reason       text        not null,
  class        text        not null,
  status       integer,
  message      text        not null,
  codecs       text        not null default '',
  node         text        not null,
  primary key (id, started_at)
);

-- For the newest, and for those whose time is up.
create index sip_calls_ended on sip_calls (ended_at);
create index sip_calls_peer on sip_calls (peer_type, peer_id, ended_at);
