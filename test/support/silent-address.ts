// An address of this machine without a listener.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

export async function silentAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}
