import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSealer } from './sealing.ts';

const [sid, other] = [`SK${'1'.repeat(32)}`, `SK${'2'.repeat(32)}`];
const secret = 'the secret of a key, with ünicode';
const sealer = createSealer('thirty-two random characters or more');

test('[ACC5] a sealed secret opens again, and shows nothing of itself', () => {
  const sealed = sealer.seal(sid, secret);
  assert.equal(sealer.open(sid, sealed), secret);
  assert.match(sealed, /^v1\.[\w-]+$/);
  assert.ok(!Buffer.from(sealed.slice(3), 'base64url').includes('secret'));
  assert.notEqual(sealer.seal(sid, secret), sealed, 'the same secret twice shows as two');
  assert.equal(
    createSealer('thirty-two random characters or more').open(sid, sealed),
    secret,
    'in the next process too',
  );
});

test('[ACC5] nothing opens for another row, with another key, altered, cut or unsealed', () => {
  const sealed = sealer.seal(sid, secret);
  assert.equal(sealer.open(other, sealed), undefined);
  assert.equal(createSealer('another key of thirty-two characters').open(sid, sealed), undefined);
  for (let i = 3; i < sealed.length; i += 5) {
    const altered = sealed.slice(0, i) + (sealed[i] === 'A' ? 'B' : 'A') + sealed.slice(i + 1);
    assert.equal(sealer.open(sid, altered), undefined, `altered at ${i}`);
  }
  for (const text of ['', 'v1.', secret, sealed.slice(0, 20), sealed.slice(3), sealed.replace('v1', 'v2')]) {
    assert.equal(sealer.open(sid, text), undefined, text);
  }
});
