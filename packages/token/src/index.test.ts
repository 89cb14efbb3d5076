import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';

test('importing the package loads no library: a service that only verifies starts 80 ms sooner', async () => {
  const loaded: string[] = [];
  const hooks = registerHooks({
    load: (url, context, next) => {
      loaded.push(url);
      return next(url, context);
    },
  });
  const { tokenLimits } = await import('./index.ts');
  const ofLibraries = (): string[] => loaded.filter((url) => url.includes('/node_modules/'));
  assert.ok(loaded.some((url) => url.endsWith('/packages/token/src/oidc-bearer.ts')));
  assert.deepEqual(ofLibraries(), []);
  await tokenLimits().countIdentity('alice');
  hooks.deregister();
  assert.ok(ofLibraries().length > 0);
});
