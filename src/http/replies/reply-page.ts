// The page behind a reply URL: small, without script, in English or German. Opening it replies nothing, because mail scanners
// and link previews open every link; only its buttons do.

import { createHash } from 'node:crypto';

export type PageLanguage = 'en' | 'de';

/** What the page says. `ask` has one button per choice. */
export type PageState =
  | { kind: 'ask'; choices: readonly string[] }
  | { kind: 'replied'; choice: string }
  | { kind: 'taken'; choice: string }
  | { kind: 'expired' }
  | { kind: 'unknown' }
  | { kind: 'refused'; faults: readonly string[] };

interface Texts {
  ask: string;
  choose: string;
  replied: string;
  thanks: (choice: string) => string;
  taken: string;
  takenBy: (choice: string) => string;
  expired: string;
  tooLate: string;
  unknown: string;
  check: string;
  refused: string;
}

const TEXTS: Readonly<Record<PageLanguage, Texts>> = {
  en: {
    ask: 'Your reply',
    choose: 'Nothing is sent until you press a button.',
    replied: 'Thank you',
    thanks: (choice) => `Your reply is stored: ${choice}.`,
    taken: 'Already replied',
    takenBy: (choice) => `There is a reply already: ${choice}. It cannot be changed.`,
    expired: 'Too late',
    tooLate: 'This link is no longer valid.',
    unknown: 'Unknown link',
    check: 'Please check that the whole link was copied.',
    refused: 'The reply was not stored',
  },
  de: {
    ask: 'Ihre Antwort',
    choose: 'Erst ein Klick auf eine Schaltfläche sendet etwas.',
    replied: 'Vielen Dank',
    thanks: (choice) => `Ihre Antwort ist gespeichert: ${choice}.`,
    taken: 'Bereits beantwortet',
    takenBy: (choice) => `Es gibt bereits eine Antwort: ${choice}. Sie lässt sich nicht ändern.`,
    expired: 'Zu spät',
    tooLate: 'Dieser Link ist nicht mehr gültig.',
    unknown: 'Unbekannter Link',
    check: 'Bitte prüfen Sie, ob der Link vollständig kopiert wurde.',
    refused: 'Die Antwort wurde nicht gespeichert',
  },
};

const STYLE =
  'body{font:1.125rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}' +
  'button{font:inherit;padding:.6rem 1.2rem;margin:0 .6rem .6rem 0;border:2px solid #1a4fa0;border-radius:.4rem;color:#fff;' +
  'background:#1a4fa0;cursor:pointer}button:focus-visible{outline:3px solid #d98200;outline-offset:2px}' +
  '@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}}';

/** The page runs nothing, loads nothing, sends its form only here and is not framed. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  vary: 'accept, accept-language',
};

/** The wanted language, English by default. */
export function pageLanguage(acceptLanguage: string | undefined): PageLanguage {
  const first = (acceptLanguage ?? '').split(',').find((range) => /^\s*(?:de|en)\b/i.test(range));
  return first?.trim().slice(0, 2).toLowerCase() === 'de' ? 'de' : 'en';
}

export function replyPage(state: PageState, language: PageLanguage): string {
  const texts = TEXTS[language];
  const title = texts[state.kind];
  return `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title>${title}</title><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><style>${STYLE}</style></head><body><main><h1>${title}</h1>${content(state, texts)}</main></body></html>`;
}

function content(state: PageState, texts: Texts): string {
  switch (state.kind) {
    case 'ask':
      return `<p>${texts.choose}</p><form method="post">${state.choices.map(button).join('')}</form>`;
    case 'replied':
      return `<p role="status">${texts.thanks(labelOf(state.choice))}</p>`;
    case 'taken':
      return `<p role="status">${texts.takenBy(labelOf(state.choice))}</p>`;
    case 'expired':
      return `<p>${texts.tooLate}</p>`;
    case 'unknown':
      return `<p>${texts.check}</p>`;
    case 'refused':
      return `<ul role="alert">${state.faults.map((fault) => `<li>${escapeHtml(fault)}</li>`).join('')}</ul>`;
  }
}

function button(choice: string): string {
  return `<button type="submit" name="choice" value="${choice}">${labelOf(choice)}</button>`;
}

/** A choice has only lower-case letters, digits and "_". */
function labelOf(choice: string): string {
  return choice.charAt(0).toUpperCase() + choice.slice(1).replaceAll('_', ' ');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
