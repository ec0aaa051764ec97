// Process entry of the anchor: a Fastify 5 handler that parses a JSON body and answers JSON, as small as one can be.
// No token, no hash, no log, no disk.

import Fastify from 'fastify';
import { answerQuestions } from '../helper-process.ts';
import { bareAnswer, type Webhook } from './bare-answer.ts';

answerQuestions<'start', { port: number }>(async () => {
  const fastify = Fastify({ logger: false });
  fastify.post<{ Body: Webhook }>('/', (request, reply) => {
    reply.send(bareAnswer(request.body));
  });
  const url = await fastify.listen({ host: '127.0.0.1', port: 0 });
  return { port: Number(new URL(url).port) };
});
