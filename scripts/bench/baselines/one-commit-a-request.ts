// Process entry of the durable baseline: what one writes first with Fastify and SQLite. Each request is one INSERT
// and one commit that is on disk before the answer.

import Database from 'better-sqlite3';
import Fastify from 'fastify';
import { answerQuestions } from '../helper-process.ts';
import { bareAnswer, type Webhook } from './bare-answer.ts';

answerQuestions<{ databaseFile: string }, { port: number }>(async ({ databaseFile }) => {
  const database = new Database(databaseFile);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE requests (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT');
  const insert = database.prepare('INSERT INTO requests (body) VALUES (?)');

  const fastify = Fastify({ logger: false });
  fastify.post<{ Body: Webhook }>('/', (request, reply) => {
    insert.run(JSON.stringify(request.body));
    reply.send(bareAnswer(request.body));
  });
  const url = await fastify.listen({ host: '127.0.0.1', port: 0 });
  return { port: Number(new URL(url).port) };
});
