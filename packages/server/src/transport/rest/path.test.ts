import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetOf } from './path.ts';

test('[RST3] a path is split first and decoded once', () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    '/v1/Services': ['Services'],
    '/v1/Services?PageSize=1': ['Services'],
    '/v1/Services/IS1/Documents/a%2Fb': ['Services', 'IS1', 'Documents', 'a/b'],
    '/v1/a%252Fb': ['a%2Fb'],
    '/v1/a+b%20c': ['a+b c'],
    '/v1/%C3%BC': ['ü'],
    '/v1/%5C%23%3F': ['\\#?'],
    '/v1/...': ['...'],
    '/v1/a?b/../c': ['a'],
  };
  for (const [url, parts] of Object.entries(cases)) assert.deepEqual(targetOf(url).parts, parts, url);
});

test('[RST3] what is another spelling leads nowhere', () => {
  const none = [
    ...['/v1', '/v1/', '/v1//', '/v1//Services', '/v1/Services/', '/v1/Services//x', '/V1/Services', '/v2/Services'],
    ...['/v1/.', '/v1/..', '/v1/Services/.', '/v1/Services/..', '/v1/%2e', '/v1/%2E%2e/x', '/v1/.%2e/x', '/v1/x/./y'],
    ...['/v1/a\\b', '/v1/a#b', '/v1/\u00c3\u00bc', '/%761/Services', 'http://evil.example/v1/Services', '*', ''],
    ...['/v1/%', '/v1/%2', '/v1/%zz', '/v1/%c0%ae', '/v1/%ff'],
  ];
  for (const url of none) assert.equal(targetOf(url).parts, undefined, url);
});

test('[RST3] [RST4] the path is kept as it was sent, the query apart', () => {
  assert.deepEqual(targetOf('/v1/a%2fb?c=d?e'), { parts: ['a/b'], path: '/a%2fb', query: 'c=d?e' });
});
