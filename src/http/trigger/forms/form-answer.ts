// Answers the visitor of a form: leads to a page of the website, or shows one of the server.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { withParameter } from '../../../core/sink/response/form-page.ts';
import type { FormResponse } from '../../../core/sink/response/form-setting.ts';
import { cutText } from '../../../core/values/cut-text.ts';
import { parseUrl } from '../../../parse-url.ts';
import { faultPage, PAGE_HEADERS, type PageLanguage, receivedPage, type ShownFault } from './page.ts';
import { chooseLanguage } from './page-language.ts';
import { DEFAULT_LANGUAGE, PAGE_TEXTS, type PageTexts } from './page-texts.ts';

const LANGUAGES = Object.keys(PAGE_TEXTS);
/** In bytes. */
const MAX_MESSAGE = 1024;

export function sendReceived(reply: FastifyReply, { success }: FormResponse, runId: string): void {
  if (success !== null) return void reply.redirect(withParameter(success, 'run_id', runId), 303);
  reply
    .code(200)
    .headers(PAGE_HEADERS)
    .send(receivedPage(languageOf(reply.request), runId));
}

export interface FormFault extends Pick<ShownFault, 'code' | 'message'> {
  status: number;
}

export function sendFormFault(
  request: FastifyRequest,
  reply: FastifyReply,
  { fault }: FormResponse,
  { status, code, message }: FormFault,
): void {
  if (fault !== null) return void reply.redirect(withParameter(fault, 'error', code), 303);
  const shown = { code, message: cutText(message, MAX_MESSAGE), requestId: request.id, backTo: formPageOf(request) };
  reply
    .code(status)
    .headers(PAGE_HEADERS)
    .send(faultPage(languageOf(request), shown));
}

function languageOf({ raw }: FastifyRequest): PageLanguage {
  const language = chooseLanguage(raw.headers['accept-language'], LANGUAGES, DEFAULT_LANGUAGE);
  return { language, texts: PAGE_TEXTS[language] as PageTexts };
}

/** A browser may send only the origin, or nothing. */
function formPageOf({ raw }: FastifyRequest): string | null {
  const { referer } = raw.headers;
  if (referer === undefined || !/^https?:\/\//i.test(referer) || parseUrl(referer) === null) return null;
  return new URL(referer).href;
}
