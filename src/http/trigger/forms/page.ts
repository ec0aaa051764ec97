// The pages of form sinks as HTML: without script and without anything from elsewhere.

import { createHash } from 'node:crypto';
import type { PageTexts } from './page-texts.ts';

const STYLE = `:root{color-scheme:light dark}
body{margin:0;background:#fff;color:#1b1b1b;font:1.125rem/1.6 system-ui,sans-serif}
main{box-sizing:border-box;max-width:40rem;margin:0 auto;padding:10vh 1.5rem}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 1rem}
p{margin:0 0 1rem;overflow-wrap:anywhere}
a{color:#0b57d0}
small{font-size:.9rem;color:#4a4a4a}
@media (prefers-color-scheme:dark){body{background:#161616;color:#ededed}a{color:#a8c7fa}small{color:#bdbdbd}}`;

const styleHash = createHash('sha256').update(STYLE).digest('base64');

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export interface PageLanguage {
  language: string;
  texts: PageTexts;
}

export function receivedPage({ language, texts }: PageLanguage, runId: string): string {
  return page(language, texts.received, [`<p>${escaped(texts.thanks)}</p>`, reference(texts, runId)]);
}

export interface ShownFault {
  code: string;
  /** In English. */
  message: string;
  requestId: string;
  /** The page of the form; null when it is not known. */
  backTo: string | null;
}

export function faultPage({ language, texts }: PageLanguage, { code, message, requestId, backTo }: ShownFault): string {
  const reason = Object.hasOwn(texts.faults, code) ? (texts.faults[code] as string) : texts.faults.other;
  return page(language, texts.notSent, [
    `<p>${escaped(reason)}</p>`,
    `<p>${escaped(texts.details)}: <span lang="en">${escaped(message)}</span></p>`,
    ...(backTo === null ? [] : [`<p><a href="${escaped(backTo)}">${escaped(texts.back)}</a></p>`]),
    `<p>${escaped(texts.backHint)}</p>`,
    reference(texts, requestId),
  ]);
}

function reference(texts: PageTexts, id: string): string {
  return `<p><small>${escaped(texts.reference)}: <code>${escaped(id)}</code></small></p>`;
}

function page(language: string, title: string, content: readonly string[]): string {
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${content.join('\n')}
</main>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
