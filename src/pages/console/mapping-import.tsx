/** A CSV file of mappings: looked through first, written only when nothing in it is wrong. */
import { useState } from 'preact/hooks';
import { pathOf } from './asked-path.js';
import { sentenceOf } from './refused.js';
import type { Desk } from './desk.js';
import { Dialog } from './dialog.js';
import type { ImportReport } from './told.js';
import { counted } from './wording.js';

export function MappingImport({ desk, onClose, onDone }: { desk: Desk; onClose: () => void; onDone: (sentence: string) => void }) {
  const [file, setFile] = useState<File | undefined>(undefined);
  const [result, setResult] = useState<ImportReport | undefined>(undefined);
  const [trouble, setTrouble] = useState('');
  const [isBusy, setBusy] = useState(false);
  const send = async (dryRun: boolean): Promise<void> => {
    if (file === undefined) return;
    setBusy(true);
    setTrouble('');
    try {
      const told = await desk.session.json<ImportReport>(pathOf('api/mappings/import', { dryRun }), { method: 'POST', body: file, type: 'text/csv' });
      if (dryRun || told.errorCount > 0) setResult(told);
      else onDone(`Imported ${counted(told.rows, 'row')}: ${whatOf(told)}.`);
    } catch (thrown) {
      setTrouble(sentenceOf(thrown));
    }
    setBusy(false);
  };
  return (
    <Dialog title="Import mappings" onClose={onClose}>
      <p class="faint">A CSV file whose first line names the columns of the table: sip_user, sip_host and peer_id at least. First look through it; nothing is written by that.</p>
      <label class="field">
        CSV file
        <input
          type="file"
          accept=".csv,text/csv"
          onChange={(event) => {
            setFile(event.currentTarget.files?.[0]);
            setResult(undefined);
            setTrouble('');
          }}
        />
      </label>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      <div aria-live="polite">{result !== undefined && <Result result={result} />}</div>
      <div class="row">
        <button type="button" disabled={file === undefined || isBusy} onClick={() => void send(true)}>
          Look through it
        </button>
        <button type="button" class="main" disabled={result === undefined || result.errorCount > 0 || isBusy} onClick={() => void send(false)}>
          Import
        </button>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function Result({ result }: { result: ImportReport }) {
  const { rows, errors, errorCount } = result;
  if (errorCount === 0) {
    return (
      <p>
        {counted(rows, 'row')}, none wrong: {whatOf(result)}. Nothing is written yet.
      </p>
    );
  }
  return (
    <>
      <p class="trouble">
        {counted(errorCount, 'row')} of {rows.toLocaleString('en')} cannot be imported. Nothing was written.
      </p>
      <div class="errors" tabIndex={0} role="region" aria-label="What is wrong">
        <table>
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col">What is wrong</th>
            </tr>
          </thead>
          <tbody>
            {errors.map(({ line, problem }) => (
              <tr key={`${line} ${problem}`}>
                <td>{line}</td>
                <td>{problem}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {errorCount > errors.length && <p class="faint">The first {errors.length} are shown.</p>}
    </>
  );
}

function whatOf({ inserted, updated, unchanged }: ImportReport): string {
  return `${inserted.toLocaleString('en')} new, ${updated.toLocaleString('en')} changed, ${unchanged.toLocaleString('en')} as they were`;
}
