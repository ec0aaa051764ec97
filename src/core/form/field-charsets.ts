// Character sets of form fields whose parts declare none. A form may declare them in a field: `_charset_` for all (RFC
// 7578, 4.6), or `charsets` by field, as SendGrid does for mail.

import { charsetOf } from '../values/charset.ts';
import { MalformedForm } from './malformed-form.ts';

export interface DeclaredCharsets {
  /** Of a field whose part declares none. */
  of(field: string): string;
  /** Of names, and of every field without a declaration of its own. */
  ofForm: string;
}

/**
 * `textOf` returns the text of the first field of a name, or null: both fields are ASCII. `declared` is the charset of
 * the request's Content-Type. Throws MalformedForm when `_charset_` names an unknown set.
 */
export function readDeclaredCharsets(
  textOf: (isName: (name: string) => boolean) => string | null,
  declared: string | null,
): DeclaredCharsets {
  const named =
    textOf((name) => name.toLowerCase() === '_charset_')
      ?.trim()
      .toLowerCase() ?? '';
  if (named !== '' && charsetOf(named) === null)
    throw new MalformedForm(
      `its field "_charset_" names the character set ${JSON.stringify(named.slice(0, 40))}, which is not known`,
      '_charset_',
    );
  const ofForm = named !== '' ? named : (declared ?? 'utf-8');
  const byField = readCharsetsByField(textOf((name) => name === 'charsets'));
  return { ofForm, of: (field) => byField.get(field) ?? ofForm };
}

/** Ignores a field of that name with any other content. */
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
