// Which character set the text of a form's fields is of, where the parts do not say so themselves. A form may tell it
// in a field: `_charset_` for all (RFC 7578, 4.6), or `charsets` by field, as SendGrid sends what a mail held.

import { charsetOf } from '../values/charset.ts';
import { MalformedForm } from './malformed-form.ts';

export interface ToldCharsets {
  /** Of a field whose part names none. */
  of(field: string): string;
  /** Of names, and of every field that is not told of by its own name. */
  ofForm: string;
}

/**
 * `textOf` gives the text of the first field of a name, or null: both fields are ASCII. `declared` is the charset of the
 * request's Content-Type. Throws MalformedForm where `_charset_` names a set that is not known.
 */
export function readToldCharsets(textOf: (isName: (name: string) => boolean) => string | null, declared: string | null): ToldCharsets {
  const told =
    textOf((name) => name.toLowerCase() === '_charset_')
      ?.trim()
      .toLowerCase() ?? '';
  if (told !== '' && charsetOf(told) === null)
    throw new MalformedForm(
      `its field "_charset_" names the character set ${JSON.stringify(told.slice(0, 40))}, which is not known`,
      '_charset_',
    );
  const ofForm = told !== '' ? told : (declared ?? 'utf-8');
  const byField = readCharsetsByField(textOf((name) => name === 'charsets'));
  return { ofForm, of: (field) => byField.get(field) ?? ofForm };
}

/** A field of that name that is anything else tells nothing. */
function readCharsetsByField(text: string | null): ReadonlyMap<string, string> {
  if (text?.trimStart().startsWith('{') !== true) return new Map();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new Map();
  }
  const charsets = Object.entries(value as object).map(([field, charset]): [string, unknown] => [field, charset]);
  return new Map(
    charsets.flatMap(([field, charset]): [string, string][] =>
      typeof charset === 'string' && charsetOf(charset.toLowerCase()) !== null ? [[field, charset.toLowerCase()]] : [],
    ),
  );
}
