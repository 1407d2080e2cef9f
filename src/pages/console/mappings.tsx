/** Which messenger user is which SIP account: the rows of `sip_user_mappings`, added, changed, removed and imported. */
import { useState } from 'preact/hooks';
import { pathOf } from './asked-path.js';
import { sentenceOf } from './refused.js';
import type { Desk } from './desk.js';
import { Dialog } from './dialog.js';
import { changeOf, fieldsOf, limitsOf, newFields, newMappingOf, peerTypes } from './mapping-fields.js';
import { MappingForm } from './mapping-form.js';
import { MappingImport } from './mapping-import.js';
import { PagedList } from './paged-list.js';
import { hrefOf } from './route.js';
import { SearchField } from './search-field.js';
import type { MappingsPage, ShownMapping } from './told.js';

type Open = 'add' | 'import' | { readonly edit: ShownMapping } | { readonly remove: ShownMapping } | undefined;

export function Mappings({ desk, q }: { desk: Desk; q: string }) {
  const [open, setOpen] = useState<Open>(undefined);
  const [turn, setTurn] = useState(0);
  const [said, setSaid] = useState('');
  const close = (): void => {
    setOpen(undefined);
  };
  const done = (sentence: string): void => {
    setSaid(sentence);
    setTurn(turn + 1);
    close();
  };
  return (
    <section class="sheet" aria-labelledby="title">
      <div role="search" class="row filters">
        <SearchField
          label="Account, name, host or user id"
          value={q}
          onValue={(value) => {
            location.replace(hrefOf({ view: 'mappings', q: value }));
          }}
        />
        <button
          type="button"
          class="main"
          onClick={() => {
            setOpen('add');
          }}
        >
          Add
        </button>
        <button
          type="button"
          onClick={() => {
            setOpen('import');
          }}
        >
          Import CSV
        </button>
      </div>
      <p role="status">{said}</p>
      <PagedList<ShownMapping, number>
        key={q}
        label="Mappings"
        none={q === '' ? 'There are none yet: add one, or import a file.' : 'Nothing is like that.'}
        turn={`${turn} ${desk.live.turns.server.value}`}
        ask={(after, limit, signal) => desk.session.json<MappingsPage>(pathOf('api/mappings', { q, after, limit }), { signal })}
        keyOf={({ id }) => id}
        draw={(mapping) => <Entry mapping={mapping} onOpen={setOpen} />}
      />
      {open === 'add' && (
        <MappingForm
          title="Add a mapping"
          before={newFields}
          hasPassword={false}
          onClose={close}
          send={async (typed) => {
            const { id } = await desk.session.json<ShownMapping>('api/mappings', { method: 'POST', body: newMappingOf(typed) });
            done(`Added mapping ${id}.`);
          }}
        />
      )}
      {open === 'import' && <MappingImport desk={desk} onClose={close} onDone={done} />}
      {typeof open === 'object' && 'edit' in open && (
        <MappingForm
          title={`Change mapping ${open.edit.id}`}
          before={fieldsOf(open.edit)}
          hasPassword={open.edit.hasPassword}
          onClose={close}
          send={async (typed) => {
            const body = changeOf(fieldsOf(open.edit), typed);
            if (Object.keys(body).length > 0) await desk.session.json(`api/mappings/${open.edit.id}`, { method: 'PATCH', body });
            done(`Changed mapping ${open.edit.id}.`);
          }}
        />
      )}
      {typeof open === 'object' && 'remove' in open && (
        <Removal
          mapping={open.remove}
          onClose={close}
          remove={async () => {
            await desk.session.json(`api/mappings/${open.remove.id}`, { method: 'DELETE' });
            done(`Deleted mapping ${open.remove.id}.`);
          }}
        />
      )}
    </section>
  );
}

function Entry({ mapping, onOpen }: { mapping: ShownMapping; onOpen: (open: Open) => void }) {
  const { id, displayName, problem, peerType, peerId, peerStrId, sipPort, transport } = mapping;
  const account = accountOf(mapping);
  const limits = limitsOf(mapping);
  const kind = peerTypes.find(([number]) => number === String(peerType))?.[1] ?? `peer type ${peerType}`;
  return (
    <>
      <div class="what">
        <p>
          <b>{account}</b> {displayName}
        </p>
        <p class="faint">
          {peerType === 1 ? <a href={hrefOf({ view: 'user', id: peerId })}>user {peerId}</a> : `${kind} ${peerStrId ?? peerId}`} · {sipPort === 0 ? 'located by DNS' : `port ${sipPort}`}, {transport} · mapping {id}
        </p>
        {problem !== undefined && <p class="trouble">{problem}</p>}
        {limits.length > 0 && <p>{limits.join(', ')}</p>}
      </div>
      <div class="row acts">
        <button
          type="button"
          aria-label={`Change ${account}`}
          onClick={() => {
            onOpen({ edit: mapping });
          }}
        >
          Change
        </button>
        <button
          type="button"
          aria-label={`Delete ${account}`}
          onClick={() => {
            onOpen({ remove: mapping });
          }}
        >
          Delete
        </button>
        <a class="button" aria-label={`Ladder of ${account}`} href={hrefOf({ view: 'ladder', of: { kind: 'registration', id: String(id) } })}>
          Ladder
        </a>
      </div>
    </>
  );
}

function Removal({ mapping, onClose, remove }: { mapping: ShownMapping; onClose: () => void; remove: () => Promise<void> }) {
  const [trouble, setTrouble] = useState('');
  return (
    <Dialog title={`Delete ${accountOf(mapping)}?`} onClose={onClose}>
      <p>Mapping {mapping.id} is removed from the table, and un-registered. Calls that go on are not ended.</p>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      <div class="row">
        <button
          type="button"
          class="bad"
          onClick={() => {
            remove().catch((thrown: unknown) => {
              setTrouble(sentenceOf(thrown));
            });
          }}
        >
          Delete
        </button>
        <button type="button" onClick={onClose}>
          Keep it
        </button>
      </div>
    </Dialog>
  );
}

function accountOf({ sipUser, sipHost }: ShownMapping): string {
  return `${sipUser}@${sipHost}`;
}
