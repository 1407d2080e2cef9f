-- Brings a table that the original made to the form of 001 without losing a row: columns that are missing are added,
-- JSON kept as text becomes jsonb, integers grow to bigint, defaults are set so that the guide's INSERT works.
-- Over a table made by 001 it changes nothing. A value that is not what its column wants stays as it is: the row is
-- shown as rejected when it is read, and can be set right with an UPDATE.

-- Text that is not JSON becomes a JSON string that holds it; blank text becomes {}.
create function sip_json_or_text(raw text) returns jsonb
language plpgsql immutable as $$
begin
  if raw is null then
    return null;
  end if;
  if btrim(raw, E' \t\r\n') = '' then
    return '{}'::jsonb;
  end if;
  return raw::jsonb;
exception when others then
  return to_jsonb(raw);
end
$$;

create function sip_column_type(wanted name) returns text
language sql stable as $$
  select format_type(atttypid, null) from pg_attribute
  where attrelid = 'sip_user_mappings'::regclass and attname = wanted and attnum > 0 and not attisdropped
$$;

alter table sip_user_mappings
  add column if not exists sip_password   text,
  add column if not exists sip_port       integer     default 5060,
  add column if not exists sip_parameters jsonb       default '{"transport": "udp"}',
  add column if not exists sip_headers    jsonb       default '{}',
  add column if not exists peer_type      integer     default 1,
  add column if not exists peer_str_id    text,
  add column if not exists register       boolean     default true,
  add column if not exists can_call       boolean     default true,
  add column if not exists can_be_called  boolean     default true,
  add column if not exists auth_user      text,
  add column if not exists display_name   text,
  add column if not exists created_at     timestamptz not null default now(),
  add column if not exists updated_at     timestamptz not null default now();

do $$
declare
  json_column name;
  id_type text;
  id_usable boolean := false;
  id_sequence regclass;
  highest bigint;
begin
  foreach json_column in array array['sip_parameters', 'sip_headers']::name[] loop
    if sip_column_type(json_column) <> 'jsonb' then
      execute format('alter table sip_user_mappings alter column %I drop default', json_column);
      execute format(
        'alter table sip_user_mappings alter column %1$I type jsonb using sip_json_or_text(%1$I::text)',
        json_column);
    end if;
  end loop;

  if sip_column_type('peer_id') in ('smallint', 'integer') then
    alter table sip_user_mappings alter column peer_id type bigint;
  end if;

  -- An id of the original's own stays if it is a whole number that tells rows apart; any other keeps its values
  -- under another name.
  id_type := sip_column_type('id');
  if id_type in ('smallint', 'integer', 'bigint') then
    execute 'select count(id) = count(distinct id) from sip_user_mappings' into id_usable;
  end if;
  if id_type is not null and not id_usable then
    alter table sip_user_mappings rename column id to original_id;
  end if;
  if not id_usable then
    alter table sip_user_mappings add column id bigserial not null;
  else
    if id_type <> 'bigint' then
      alter table sip_user_mappings alter column id type bigint;
    end if;
    if exists (
      select from pg_attribute
      where attrelid = 'sip_user_mappings'::regclass and attname = 'id' and not atthasdef and attidentity = ''
    ) then
      create sequence if not exists sip_user_mappings_id_seq owned by sip_user_mappings.id;
      alter table sip_user_mappings alter column id set default nextval('sip_user_mappings_id_seq');
    end if;
    -- A sequence behind the highest id, or one of 32 bits, would refuse the next INSERT.
    id_sequence := pg_get_serial_sequence('sip_user_mappings', 'id');
    if id_sequence is not null then
      execute format('alter sequence %s as bigint', id_sequence);
      execute 'select max(id) from sip_user_mappings' into highest;
      if highest >= 1 then
        perform setval(id_sequence, greatest(highest, nextval(id_sequence)));
      end if;
    end if;
    update sip_user_mappings set id = default where id is null;
    alter table sip_user_mappings alter column id set not null;
  end if;

  if not exists (select from pg_index where indrelid = 'sip_user_mappings'::regclass and indisprimary) then
    alter table sip_user_mappings add primary key (id);
  elsif not exists (
    select from pg_index
    join pg_attribute on attrelid = indrelid and attnum = indkey[0]
    where indrelid = 'sip_user_mappings'::regclass and indisunique and indnkeyatts = 1 and indpred is null and attname = 'id'
  ) then
    create unique index sip_user_mappings_id_key on sip_user_mappings (id);
  end if;
end
$$;

alter table sip_user_mappings
  alter column sip_password   set default '',
  alter column sip_port       set default 5060,
  alter column sip_parameters set default '{"transport": "udp"}',
  alter column sip_headers    set default '{}',
  alter column peer_type      set default 1,
  alter column register       set default true,
  alter column can_call       set default true,
  alter column can_be_called  set default true;

alter table sip_user_mappings
  alter column peer_str_id drop not null;

drop function sip_json_or_text(text);
drop function sip_column_type(name);
