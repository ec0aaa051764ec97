// Finds the server and token of a verb: from flags, then the environment, then the local server.

import { type Command, Option } from 'commander';
import { type Client, createClient } from '../client/client.ts';
import { parseJson, stringifyJson } from '../core/json/json.ts';
import { parseUrl } from '../parse-url.ts';
import type { CliContext } from './context.ts';
import { ExitError, WRONG_USAGE } from './exit-error.ts';
import { findLocalServer } from './local-server.ts';

export interface ServerOptions {
  url?: string;
  token?: string;
}

export function addServerOptions(command: Command, token = 'admin token (default: SLUICE_TOKEN, else that of the local server)'): Command {
  return command
    .addOption(new Option('--url <url>', 'URL of the server (default: SLUICE_URL, else the local server)'))
    .addOption(new Option('--token <token>', token));
}

/** Creates a client with the admin token. The local server's token is sent only to an address of this machine. */
export async function connect({ url, token }: ServerOptions, { environment }: CliContext): Promise<Client> {
  const chosenToken = token ?? environment['SLUICE_TOKEN'];
  const address = url ?? environment['SLUICE_URL'];
  if (address !== undefined && (chosenToken !== undefined || !isLocal(address))) return clientOf(address, chosenToken);
  const local = await findLocalServer(environment);
  return clientOf(address ?? local.url, chosenToken ?? (await local.adminToken()));
}

/** Creates a client with a sink's token, or none: the admin token is never sent to a sink. */
export async function connectToSink(url: string | undefined, token: string | undefined, { environment }: CliContext): Promise<Client> {
  return clientOf(url ?? environment['SLUICE_URL'] ?? (await findLocalServer(environment)).url, token);
}

function clientOf(url: string, token: string | undefined): Client {
  try {
    return createClient({ url, token, json: { parse: parseJson, stringify: stringifyJson } });
  } catch (error) {
    throw new ExitError((error as Error).message, WRONG_USAGE);
  }
}

function isLocal(address: string): boolean {
  const { hostname } = parseUrl(address) ?? { hostname: '' };
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
