// Everything of the package. Each module is an entry point of its own too, so that a page loads only what it names.
export * from './connection_status.js';
export * from './live_series.js';
export * from './recovery.js';
export * from './shared_connection.js';
