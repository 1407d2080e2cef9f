-- Looking up by peer and by SIP user, and an updated_at that no UPDATE can forget. Neither index is unique: tables that
-- exist may hold one SIP user several times, for several peers.
create index sip_user_mappings_peer on sip_user_mappings (peer_type, peer_id);
create index sip_user_mappings_sip_user on sip_user_mappings (sip_user);

create or replace function sip_user_mappings_touch() returns trigger
language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end
$$;

create trigger sip_user_mappings_touch
  before update on sip_user_mappings
  for each row execute function sip_user_mappings_touch();
