// A self-signed certificate, made with Node alone: the DER of X.509 is written by hand.

import { generateKeyPairSync, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  key: string;
  cert: string;
}

export interface CertificateOptions {
  /** Bits of an RSA key; by default the key is of the curve P-256. */
  rsaBits?: number;
  /** `YYMMDD`. */
  from?: string;
  to?: string;
}

/** For these names and IPv4 addresses, valid from 2020 to 2049 by default. */
export function selfSigned(names: readonly string[], { rsaBits, from = '200101', to = '490101' }: CertificateOptions = {}): Certificate {
  const { publicKey, privateKey } =
    rsaBits === undefined ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: rsaBits });
  const algorithm =
    rsaBits === undefined ? sequence(oid(1, 2, 840, 10045, 4, 3, 2)) : sequence(oid(1, 2, 840, 113549, 1, 1, 11), tagged(0x05));
  const name = sequence(tagged(0x31, sequence(oid(2, 5, 4, 3), tagged(0x0c, Buffer.from('sluice test')))));
  const validity = sequence(tagged(0x17, Buffer.from(`${from}000000Z`)), tagged(0x17, Buffer.from(`${to}000000Z`)));
  const alternatives = tagged(0x04, sequence(...names.map(alternativeName)));
  const extensions = tagged(0xa3, sequence(sequence(oid(2, 5, 29, 17), alternatives)));
  const version = tagged(0xa0, tagged(0x02, Buffer.from([2])));
  const serial = tagged(0x02, Buffer.from([1]));
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const content = sequence(version, serial, algorithm, name, validity, name, key, extensions);
  const signature = tagged(0x03, Buffer.from([0]), sign('sha256', content, privateKey));
  const der = sequence(content, algorithm, signature).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${der.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  };
}

function alternativeName(name: string): Buffer {
  const isAddress = /^[\d.]+$/.test(name);
  return isAddress ? tagged(0x87, Buffer.from(name.split('.').map(Number))) : tagged(0x82, Buffer.from(name));
}

function tagged(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

function sequence(...content: Uint8Array[]): Buffer {
  return tagged(0x30, ...content);
}

function oid(first: number, second: number, ...rest: number[]): Buffer {
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 127];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 127) | 128);
  return digits;
}
