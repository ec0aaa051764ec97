// A sink for forms of a website: what its response leads to, and what it asks of the other fields of the sink.

import type { Fault } from '../../fault.ts';
import { encodeLocation, locationFault } from './answer-headers.ts';
import { allowedPageFault } from './form-page.ts';

/** A page for a visitor, and JSON for a script. Null: a page of the server. */
export interface FormResponse {
  mode: 'form';
  success: string | null;
  fault: string | null;
  /** Other pages to which the form itself may lead. */
  pages: readonly string[];
}

export interface FormResponseDocument {
  success?: string;
  fault?: string;
  pages?: string[];
}

export function formResponseFaults({ success, fault, pages = [] }: FormResponseDocument): Fault[] {
  const checked = [
    ['response.success', success === undefined ? null : locationFault(success)],
    ['response.fault', fault === undefined ? null : locationFault(fault)],
    ...pages.map((page, index) => [`response.pages[${index}]`, allowedPageFault(page)] as const),
  ] as const;
  return checked.flatMap(([path, message]) => (message === null ? [] : [{ path, message }]));
}

export function readFormResponse({ success, fault, pages = [] }: FormResponseDocument): FormResponse {
  return {
    mode: 'form',
    success: success === undefined ? null : encodeLocation(success),
    fault: fault === undefined ? null : encodeLocation(fault),
    pages: pages.map((page) => new URL(page).href),
  };
}

export function writeFormResponse({ success, fault, pages }: FormResponse): object | 'form' {
  if (success === null && fault === null && pages.length === 0) return 'form';
  return {
    mode: 'form',
    ...(success === null ? {} : { success }),
    ...(fault === null ? {} : { fault }),
    ...(pages.length === 0 ? {} : { pages }),
  };
}

interface Given {
  method: string;
  response?: unknown;
  spam?: unknown;
  split?: string;
  payload?: string | null;
  body?: unknown;
}

/** Checks what a form sink and its spam guards need of the other fields. */
export function formSinkFaults({ method, response, spam, payload, body = 'auto' }: Given): Fault[] {
  const mode = typeof response === 'object' && response !== null ? (response as { mode: string }).mode : response;
  if (mode !== 'form')
    return spam === undefined ? [] : [{ path: 'spam', message: 'needs response "form", which answers a robot like a visitor' }];
  const faults: Fault[] = [];
  if (method !== 'POST') faults.push({ path: 'method', message: 'must be POST beside response "form": browsers post forms' });
  if (typeof payload === 'string') faults.push({ path: 'payload', message: 'cannot stand beside response "form"' });
  if (body === 'text' || body === 'raw' || (typeof body === 'object' && body !== null && 'form_field' in body))
    faults.push({ path: 'body', message: 'must be "auto", "form", "json" or { "form": "nested" } beside response "form"' });
  return faults;
}
