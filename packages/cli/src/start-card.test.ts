import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { startCard } from './start-card.ts';

const card = {
  serviceUrl: 'http://127.0.0.1:8080',
  socketUrl: 'ws://127.0.0.1:8080/v3/wsconnect',
  app: { url: 'http://localhost:3000', answers: true },
  dataDir: './data',
  credentials: './data/credentials.env (made just now)',
};

test('[CFG9] the start card shows every address, where things are kept, and the next step', () => {
  const text = startCard(card, false);
  for (const value of [card.serviceUrl, card.socketUrl, card.app.url, card.dataDir, card.credentials]) {
    assert.ok(
      text.split('\n').some((line) => line.endsWith(`  ${value}`)),
      value,
    );
  }
  assert.match(text, /Open http:\/\/localhost:3000 in two windows/);
  assert.match(startCard({ ...card, app: undefined }, false), /tallystick dev -- node server\.js/);
  assert.match(startCard({ ...card, app: { ...card.app, answers: false } }, false), /has not answered at .*:3000 yet/);
  assert.match(startCard({ ...card, dataDir: undefined }, false), /Data +in memory/);
});

test('[CFG9] the start card is plain text in 80 columns; style adds nothing but escape sequences', () => {
  const text = startCard(card, false);
  assert.ok(text.split('\n').every((line) => line.length <= 80));
  assert.equal(stripVTControlCharacters(text), text);
  const styled = startCard(card, true);
  assert.notEqual(styled, text);
  assert.equal(stripVTControlCharacters(styled), text);
});
