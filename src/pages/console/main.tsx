/** The console of the administration interface: what the running extension does, and what an operator may do about it. */
import { render } from 'preact';
import { App } from './app.js';

const page = document.getElementById('page');
if (page !== null) render(<App />, page);
