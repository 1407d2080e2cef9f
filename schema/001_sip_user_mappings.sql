-- The table of the guide. A database that has it already, made by the original, keeps it: 002 adopts it.
create table if not exists sip_user_mappings (
  id             bigserial   primary key,
  sip_user       text        not null,
  sip_password   text                 default '',
  sip_host       text        not null,
  sip_port       integer     not null default 5060,
  sip_parameters jsonb                default '{"transport": "udp"}',
  sip_headers    jsonb                default '{}',
  peer_type      integer     not null default 1,
  peer_id        bigint      not null,
  peer_str_id    text,
  register       boolean     not null default true,
  can_call       boolean     not null default true,
  can_be_called  boolean     not null default true,
  auth_user      text,
  display_name   text,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now()
);
