// Opens connections under the address policy: resolves the host once, checks every address, and connects only to a
// checked one. So a name that later resolves elsewhere, or to both a public and a private address, does not bypass it.

import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, rootCertificates } from 'node:tls';
import type { buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy.ts';
import { Refusal } from './refusal.ts';

export interface ConnectTarget {
  /** A name or an address, an IPv6 address without brackets. */
  hostname: string;
  port: number;
  isTls: boolean;
  /** For the lookup, all connection attempts and the TLS handshake together. */
  timeoutMs: number;
}

/** Rejects with Refusal, ConnectTimeout, or the system's error. */
export type Dial = (target: ConnectTarget) => Promise<Socket>;

export interface DialOptions {
  policy: AddressPolicy;
  /** Certificates to trust beside those of the system, as PEM. */
  ca?: string | undefined;
  /** All addresses of a host; the system's resolver when left out. */
  lookup?: (hostname: string) => Promise<LookupAddress[]>;
  openSocket?: (address: string, target: ConnectTarget, ca: string | undefined) => Socket;
}

export class ConnectTimeout extends Error {}

export function createDial({ policy, ca, lookup = lookUp, openSocket = open }: DialOptions): Dial {
  return async (target) => {
    const endsAt = performance.now() + target.timeoutMs;
    const addresses =
      isIP(target.hostname) === 0 ? await within(target.timeoutMs, lookup(target.hostname)) : [{ address: target.hostname }];
    for (const { address } of addresses) refuse(policy, target.hostname, address);
    let fault: unknown = Object.assign(new Error(`${target.hostname} has no address`), { code: 'ENOTFOUND' });
    for (const [index, { address }] of addresses.entries()) {
      // Addresses share the time, so that one without an answer leaves time for the next.
      const timeoutMs = (endsAt - performance.now()) / (addresses.length - index);
      try {
        const socket = await connected(openSocket(address, target, ca), target.isTls, timeoutMs);
        refuseElsewhere(policy, target.hostname, socket);
        return socket;
      } catch (error) {
        if (error instanceof Refusal) throw error;
        fault = error;
      }
    }
    throw fault;
  };
}

export interface ConnectorOptions {
  timeoutMs(): number;
  /** Called for each connection: undici also reconnects for a request that was aborted, and then has nothing to send. */
  isWanted(): boolean;
}

/** In the form that undici expects. */
export function connectorOf(dial: Dial, { timeoutMs, isWanted }: ConnectorOptions): buildConnector.connector {
  return ({ hostname, protocol, port }, callback) => {
    const isTls = protocol === 'https:';
    const target = { hostname, port: port === '' ? (isTls ? 443 : 80) : Number(port), isTls, timeoutMs: timeoutMs() };
    (isWanted() ? dial(target) : Promise.reject(new Error('nobody waits for this connection'))).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
}

function refuse(policy: AddressPolicy, hostname: string, address: string): void {
  const reason = policy.refuses(address);
  if (reason !== null) throw new Refusal(hostname === address ? reason : `${hostname} resolves to an address that is refused: ${reason}`);
}

/** The remote address as the socket reports it. */
function refuseElsewhere(policy: AddressPolicy, hostname: string, socket: Socket): void {
  try {
    if (socket.remoteAddress !== undefined) refuse(policy, hostname, socket.remoteAddress);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function lookUp(hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });
}

function open(address: string, { hostname, port, isTls }: ConnectTarget, ca: string | undefined): Socket {
  const options = { host: address, port, noDelay: true, keepAlive: true };
  if (!isTls) return connectTcp(options);
  return connectTls({ ...options, ...tlsOptions(hostname, ca) });
}

/** Checks the certificate against the name, or without a name against the address. */
export function tlsOptions(hostname: string, ca: string | undefined): ConnectionOptions {
  return {
    ...(isIP(hostname) === 0 ? { servername: hostname } : { host: hostname }),
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
  };
}

async function connected(socket: Socket, isTls: boolean, timeoutMs: number): Promise<Socket> {
  try {
    await within(timeoutMs, once(socket, isTls ? 'secureConnect' : 'connect'));
    return socket;
  } catch (error) {
    socket.on('error', () => undefined);
    socket.destroy();
    throw error;
  }
}

function within<Value>(timeoutMs: number, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ConnectTimeout('no connection in time')), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
