-- Tells those who listen on the channel sip_user_mappings which rows a statement changed: their ids, comma between, 300 to a
-- message (a message holds less than 8,000 bytes); for more than 10,000 rows and for TRUNCATE the word "all". Once a
-- statement, not once a row, and heard when the transaction is committed.
create function sip_user_mappings_tell() returns trigger
language plpgsql as $$
declare
  changed bigint[];
begin
  case tg_op
    when 'INSERT' then changed := array(select id from new_rows);
    when 'UPDATE' then changed := array(select id from new_rows union select id from old_rows);
    when 'DELETE' then changed := array(select id from old_rows);
    else changed := null;
  end case;
  if changed is null or cardinality(changed) > 10000 then
    perform pg_notify('sip_user_mappings', 'all');
  else
    perform pg_notify('sip_user_mappings', string_agg(id::text, ','))
    from (select id, (row_number() over () - 1) / 300 as part from unnest(changed) as id) as numbered
    group by part;
  end if;
  return null;
end
$$;

-- A trigger with transition tables may have one event alone.
create trigger sip_user_mappings_tell_insert
  after insert on sip_user_mappings referencing new table as new_rows
  for each statement execute function sip_user_mappings_tell();

create trigger sip_user_mappings_tell_update
  after update on sip_user_mappings referencing old table as old_rows new table as new_rows
  for each statement execute function sip_user_mappings_tell();

create trigger sip_user_mappings_tell_delete
  after delete on sip_user_mappings referencing old table as old_rows
  for each statement execute function sip_user_mappings_tell();

create trigger sip_user_mappings_tell_truncate
  after truncate on sip_user_mappings
  for each statement execute function sip_user_mappings_tell();
