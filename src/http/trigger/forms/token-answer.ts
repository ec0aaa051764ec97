// Hands out form tokens: `GET {path of the sink}?form-token` for a program that makes the page, and `?form.js`, a script that
// adds the token to the forms of the page that loads it.

import type { FastifyReply } from 'fastify';
import type { Sink } from '../../../core/sink/sink.ts';
import { TOKEN_FIELD } from '../../../core/sink/spam-setting.ts';
import { type FormTokens, TOKEN_LIFE_MS } from './form-token.ts';

/** The sink whose token a GET asks for; undefined for any other request. */
export function findTokenSink(sinks: readonly Sink[], method: string, query: string): Sink | undefined {
  if (method !== 'GET' || (query !== 'form-token' && query !== 'form.js')) return undefined;
  return sinks.find(({ spam }) => (spam?.token ?? null) !== null);
}

export function sendToken(reply: FastifyReply, { id }: Sink, tokens: FormTokens, query: string): void {
  const token = tokens.issue(id);
  reply.code(200).headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  if (query === 'form-token') reply.send({ field: TOKEN_FIELD, token, expires_in: TOKEN_LIFE_MS / 1000 });
  else
    reply
      .header('content-type', 'text/javascript; charset=utf-8')
      .header('cross-origin-resource-policy', 'cross-origin')
      .send(scriptOf(token));
}

/** The token needs no escape. A field of the form may be called "action", so the attribute is read. */
function scriptOf(token: string): string {
  return `(() => {
  const sink = new URL(document.currentScript.src);
  const add = () => {
    for (const form of document.forms) {
      const action = new URL(form.getAttribute('action') || '', document.baseURI);
      if (action.origin !== sink.origin || action.pathname !== sink.pathname) continue;
      let field = form.querySelector('input[name="${TOKEN_FIELD}"]');
      if (field === null) {
        field = document.createElement('input');
        field.type = 'hidden';
        field.name = '${TOKEN_FIELD}';
        form.append(field);
      }
      field.value = '${token}';
    }
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', add);
  else add();
})();
`;
}
