-- Calls that go on and have gone on for a moment: what the next start needs to end them when their process is gone without a word.
-- Short calls never come here; a row goes when its call is over.
create table sip_dialogs (
  id         text        not null,
  started_at timestamptz not null,
  -- The run of a node that has the call.
  run        text        not null,
  -- Of its record: columns of sip_calls.
  call       jsonb       not null,
  -- What ends it on the SIP side, without credentials; null when nothing does yet.
  way        jsonb,
  primary key (id, started_at)
);
create index sip_dialogs_run on sip_dialogs (run);

-- A run of a node, from its first row in sip_dialogs to its stop. The beat goes on while its process lives.
create table sip_runs (
  run  text   primary key,
  node text   not null,
  beat bigint not null default 0
);
