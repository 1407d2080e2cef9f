/** The public face of the package. */
import { SipExtension } from './extension/sip-extension.js';
import { createExtensionLoader } from './host/load-extension.js';

export type * from './host/contract.js';
export { CallNotFoundError, ConfigError, ExtensionError, MappingError } from './base/errors.js';
export type { ConfigIssue, ErrorCode, Fault } from './base/errors.js';
export { readServerConf } from './config/read.js';
export type { ConfigTree } from './config/read.js';
export { SipExtension };

/** Reads `modules.sip.extension` and constructs that extension: `SipExtension.id`, or 'package-or-path#ExportName'. */
export const loadExtension = createExtensionLoader(() => new SipExtension());
