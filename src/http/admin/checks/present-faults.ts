// Presents the faults of a document that is checked as somebody types: as JSON Pointers into it, with suggestions apart.

import type { Fault } from '../../../core/fault.ts';
import { pointerOfFault } from '../../../core/fault-pointer.ts';
import { cutText } from '../../../core/values/cut-text.ts';
import { splitSuggestion } from '../../../core/values/similar-names.ts';

const MAX_FAULTS = 100;
const MAX_TEXT_BYTES = 2000;

export function presentCheck(document: unknown, faults: readonly Fault[]): object {
  const shown = faults.slice(0, MAX_FAULTS).map((fault) => presentFault(document, fault));
  const more = faults.length - shown.length;
  return {
    valid: faults.length === 0,
    faults: more === 0 ? shown : [...shown, { path: '', pointer: '', message: `${more} more faults are not shown` }],
  };
}

function presentFault(document: unknown, fault: Fault): object {
  const { message, hint } = splitSuggestion(fault.message);
  const cut = (text: string): string => cutText(text, MAX_TEXT_BYTES);
  return {
    path: cut(fault.path),
    pointer: pointerOfFault(document, fault),
    message: cut(message),
    ...(hint === null ? {} : { hint: cut(hint) }),
  };
}
