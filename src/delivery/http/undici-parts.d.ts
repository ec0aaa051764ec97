// Types of the modules of undici that the sender uses. Its main module would also load mocks, caches and WebSockets, which
// is a tenth of a cold start.

declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';
  export default Client;
}

declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';
  export default Pool;
}
