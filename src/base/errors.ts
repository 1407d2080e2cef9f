/**
 * Every error that leaves this package is an `ExtensionError`: a stable `code` for programs, a sentence for people,
 * whose `fault` it was, and the `cause` where there is one.
 */

/** Stable: a code is never renamed or given another meaning. */
export type ErrorCode =
  | 'CONFIG_INVALID' // server.conf cannot be read or is not what the schema wants
  | 'EXTENSION_UNKNOWN' // modules.sip.extension names nothing that can be loaded
  | 'NOT_READY' // a hook was called before init resolved or after stop
  | 'DATABASE_UNAVAILABLE' // the database cannot be reached
  | 'DATABASE_FAILED' // the database refused a statement
  | 'MAPPING_INVALID' // a row or a field of a mapping is not usable
  | 'MAPPING_NOT_FOUND' // no mapping with that id, or none for that peer
  | 'MAPPING_CONFLICT' // another mapping holds that SIP user at that host
  | 'USER_INVALID' // the host handed over a user that is not one
  | 'COMMAND_INVALID' // the host handed over a call command that is not one
  | 'CALL_NOT_FOUND' // no such call, or it has ended
  | 'CALL_EXISTS' // a call with that id lives already
  | 'CALL_STATE' // the command does not fit the state of the call
  | 'REGISTRATION_OFF' // its row or its user says that this mapping is not to be registered
  | 'ADMIN_UNAVAILABLE' // the administration interface cannot be opened, or nobody answers there
  | 'ADMIN_REFUSED' // the administration interface took the request for none of ours, or its answer is none of ours
  | 'SIP_TRANSPORT' // a flow could not be opened, or broke
  | 'SIP_TIMEOUT' // nobody answered within 64*T1
  | 'SIP_MESSAGE' // text that is not a SIP message
  | 'SDP_INVALID'; // a session description that cannot be read, or with which no call comes about

/** Whose doing it was: what the host asked, what the operator configured, the world beyond, or this package. */
export type Fault = 'host' | 'configuration' | 'upstream' | 'extension';

const faults: Record<ErrorCode, Fault> = {
  CONFIG_INVALID: 'configuration',
  EXTENSION_UNKNOWN: 'configuration',
  NOT_READY: 'host',
  DATABASE_UNAVAILABLE: 'upstream',
  DATABASE_FAILED: 'upstream',
  MAPPING_INVALID: 'configuration',
  MAPPING_NOT_FOUND: 'configuration',
  MAPPING_CONFLICT: 'configuration',
  USER_INVALID: 'host',
  COMMAND_INVALID: 'host',
  CALL_NOT_FOUND: 'host',
  CALL_EXISTS: 'host',
  CALL_STATE: 'host',
  REGISTRATION_OFF: 'configuration',
  ADMIN_UNAVAILABLE: 'configuration',
  ADMIN_REFUSED: 'configuration',
  SIP_TRANSPORT: 'upstream',
  SIP_TIMEOUT: 'upstream',
  SIP_MESSAGE: 'upstream',
  SDP_INVALID: 'upstream',
};

export class ExtensionError extends Error {
  readonly code: ErrorCode;
  readonly fault: Fault;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.fault = faults[code];
  }
}

/** One thing wrong in server.conf: where it stands, what was found, what is accepted. */
export interface ConfigIssue {
  /** The dotted key, `modules.sip.register.expires`; absent for errors of syntax. */
  key?: string;
  file?: string;
  /** 1-based. */
  line?: number;
  column?: number;
  message: string;
}

/** All that is wrong in server.conf, at once. */
export class ConfigError extends ExtensionError {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[], options?: { cause?: unknown }) {
    super('CONFIG_INVALID', issues.map(describeIssue).join('\n'), options);
    this.issues = issues;
  }
}

/** `server.conf:12:3: modules.sip.trace-level: found "loud", want one of 0, 2, 4, 8, 16, 32` */
export function describeIssue(issue: ConfigIssue): string {
  const place = [issue.file, issue.line, issue.line === undefined ? undefined : issue.column]
    .filter((part) => part !== undefined)
    .join(':');
  return [place, issue.key, issue.message].filter((part) => part !== undefined && part !== '').join(': ');
}

export class CallNotFoundError extends ExtensionError {
  constructor(callId: string) {
    super('CALL_NOT_FOUND', `There is no call ${JSON.stringify(callId)}: it was never made here, or it has ended.`);
  }
}

/** A mapping that cannot be used, not found, or in conflict; `fields` names the columns at fault. */
export class MappingError extends ExtensionError {
  readonly fields: readonly string[];

  constructor(
    code: 'MAPPING_INVALID' | 'MAPPING_NOT_FOUND' | 'MAPPING_CONFLICT',
    message: string,
    options?: { cause?: unknown; fields?: readonly string[] },
  ) {
    super(code, message, options);
    this.fields = options?.fields ?? [];
  }
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
