// Statements that are prepared when they are used for the first time.

import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { preparingLater } from '../../src/storage/sqlite/later-statements.ts';
import { onTestEnd } from '../support/cleanup.ts';

function openCounting() {
  const database = new Database(':memory:');
  onTestEnd(() => void database.close());
  database.exec('CREATE TABLE fruits (name TEXT) STRICT');
  const prepared: string[] = [];
  const prepare = database.prepare.bind(database);
  database.prepare = ((sql: string) => {
    prepared.push(sql);
    return prepare(sql);
  }) as never;
  return { later: preparingLater(database), prepared };
}

test('a statement is prepared at its first use, and once', () => {
  const { later, prepared } = openCounting();
  const insert = later.prepare('INSERT INTO fruits VALUES (?)');
  const select = later.prepare('SELECT name FROM fruits');
  expect(prepared).toEqual([]);
  for (const name of ['apple', 'pear']) insert.run(name);
  expect(select.all()).toEqual([{ name: 'apple' }, { name: 'pear' }]);
  expect(select.get()).toEqual({ name: 'apple' });
  expect([...select.iterate()]).toHaveLength(2);
  expect(prepared).toEqual(['INSERT INTO fruits VALUES (?)', 'SELECT name FROM fruits']);
});

test('a statement keeps the shape of its rows', () => {
  const { later } = openCounting();
  later.prepare('INSERT INTO fruits VALUES (?)').run('apple');
  expect(later.prepare('SELECT name FROM fruits').pluck().all()).toEqual(['apple']);
  expect(later.prepare('SELECT name FROM fruits').raw().all()).toEqual([['apple']]);
});

test('a statement with a fault says so each time that it is used', () => {
  const { later } = openCounting();
  const broken = later.prepare('SELECT colour FROM fruits');
  for (const _ of [1, 2]) expect(() => broken.get()).toThrow('no such column: colour');
});

test('a transaction rolls statements back that it was the first to use', () => {
  const { later } = openCounting();
  const insert = later.prepare('INSERT INTO fruits VALUES (?)');
  const failing = later.transaction(() => {
    insert.run('apple');
    throw new Error('no');
  });
  expect(failing).toThrow('no');
  expect(later.prepare('SELECT count(*) FROM fruits').pluck().get()).toBe(0);
});
