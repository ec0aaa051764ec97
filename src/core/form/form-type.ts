// Parameters of a multipart form's Content-Type.

import { readParameters } from './header-parameters.ts';
import { MalformedForm } from './malformed-form.ts';

export interface FormType {
  boundary: string;
  /** For text that declares none itself; null when the header has none. */
  charset: string | null;
}

const MAX_BOUNDARY = 200;

/** Throws MalformedForm. RFC 2046 allows at most 70 characters; longer boundaries are accepted. */
export function readFormType(contentType: string): FormType {
  const read = readParameters(contentType);
  if (read.fault !== null) throw new MalformedForm(`its Content-Type ${read.fault}`);
  const boundary = read.parameters.get('boundary') ?? '';
  if (boundary === '') throw new MalformedForm('its Content-Type names no boundary; write multipart/form-data; boundary=…');
  if (boundary.length > MAX_BOUNDARY || !/^[ -~]*[!-~]$/.test(boundary))
    throw new MalformedForm(`its boundary must be 1 to ${MAX_BOUNDARY} visible ASCII characters`);
  return { boundary, charset: read.parameters.get('charset')?.toLowerCase() ?? null };
}
