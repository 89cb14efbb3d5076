import assert from 'node:assert/strict';
import { test } from 'node:test';
import { register } from '@tallystick/protocol';
import { errorPage } from './error-pages.ts';

test('the error page has one row a code, and says which are temporary', () => {
  const page = errorPage({
    20503: { status: 503, message: 'Later', temporary: true },
    54007: { status: 403, message: 'Not | you', temporary: false },
  });
  assert.deepEqual(
    page.split('\n').filter((line) => line.startsWith('| <a')),
    ['| <a id="20503"></a>20503 | 503 | yes | Later |', '| <a id="54007"></a>54007 | 403 | no | Not \\| you |'],
  );
});

test('the error page knows every code of the register', () => {
  const page = errorPage(register);
  for (const code of Object.keys(register)) assert.ok(page.includes(`id="${code}"`), code);
});
