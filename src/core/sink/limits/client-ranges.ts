// Which clients may trigger a sink: the fields `allow_from` and `block_from`.

import { parseAddressRange } from '../../../address-range.ts';
import type { Fault } from '../../fault.ts';
import type { JsonSchema } from '../../schema.ts';

export interface ClientRanges {
  /** Addresses and CIDRs that may trigger the sink; absent for all. */
  allowFrom?: readonly string[] | undefined;
  /** Addresses and CIDRs that may not, even if `allowFrom` names them. */
  blockFrom?: readonly string[] | undefined;
}

export interface ClientRangesDocument {
  allow_from?: string[];
  block_from?: string[];
}

const ranges = { type: 'array', maxItems: 256, items: { type: 'string' } };

export const clientRangesProperties: JsonSchema = {
  allow_from: { ...ranges, minItems: 1, description: 'addresses and CIDRs that may trigger the sink, as ["203.0.113.0/24"]' },
  block_from: { ...ranges, description: 'addresses and CIDRs that may not trigger the sink, as ["203.0.113.9"]' },
};

export function clientRangesFaults(document: ClientRangesDocument): Fault[] {
  return (['allow_from', 'block_from'] as const).flatMap((field) =>
    (document[field] ?? []).flatMap((range, index) => {
      const message = `"${range}" is neither an address nor a CIDR, such as 203.0.113.0/24`;
      return parseAddressRange(range) === null ? [{ path: `${field}[${index}]`, message }] : [];
    }),
  );
}

export function readClientRanges({ allow_from: allowFrom, block_from: blockFrom }: ClientRangesDocument): ClientRanges {
  return { allowFrom, blockFrom };
}

/** The fields as definitions write them. */
export function writeClientRanges({ allowFrom, blockFrom }: ClientRanges): object {
  return { ...(allowFrom === undefined ? {} : { allow_from: allowFrom }), ...(blockFrom === undefined ? {} : { block_from: blockFrom }) };
}
