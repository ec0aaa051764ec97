// The template of a signed text: what comes before the body and after it. The body itself is hashed as it comes.

import type { ProofHead } from './proof.ts';

export interface SignedValues {
  head: ProofHead;
  timestamp: string;
  id: string;
}

export interface SignedText {
  before(values: SignedValues): string;
  after(values: SignedValues): string;
  /** The terms in use. */
  terms: ReadonlySet<string>;
}

const TERMS: Readonly<Record<string, (values: SignedValues) => string>> = {
  timestamp: ({ timestamp }) => timestamp,
  id: ({ id }) => id,
  method: ({ head }) => head.method,
  url: ({ head }) => head.url,
  hubspot_url: ({ head }) => decodeForHubspot(head.url),
};

const SIGNED_TERMS = ['body', ...Object.keys(TERMS)];
const TERM = /\{([a-z_]+)\}/g;

/** Returns the fault of a template, or null. */
export function signedTextFault(template: string): string | null {
  const names = [...template.matchAll(TERM)].map(([, name]) => name as string);
  const unknown = names.find((name) => !SIGNED_TERMS.includes(name));
  if (unknown !== undefined) return `"{${unknown}}" is not known; known are ${SIGNED_TERMS.map((name) => `{${name}}`).join(', ')}`;
  return names.filter((name) => name === 'body').length === 1 ? null : 'must contain {body} once';
}

/** Compiles a template without faults. */
export function compileSignedText(template: string): SignedText {
  const [before = '', after = ''] = template.split('{body}');
  const fill = (text: string) => (values: SignedValues) =>
    text === '' ? '' : text.replaceAll(TERM, (_term, name: string) => (TERMS[name] as (typeof TERMS)[string])(values));
  return { before: fill(before), after: fill(after), terms: new Set([...template.matchAll(TERM)].map(([, name]) => name as string)) };
}

/** HubSpot signs the URL with these escapes decoded (its page on validating requests, version 3). */
const HUBSPOT_DECODES = /%(?:3a|2f|3f|40|21|24|27|28|29|2a|2c|3b)/gi;

function decodeForHubspot(url: string): string {
  return url.replaceAll(HUBSPOT_DECODES, (escaped) => decodeURIComponent(escaped));
}
