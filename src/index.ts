export type * from './host/contract.js';
