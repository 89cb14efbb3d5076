import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialsOf, loadConfig } from './config.ts';
import type { ConfigSource } from './config.ts';
import { dashed, flagOf, optionNames, optionTable, variableOf } from './options.ts';
import type { OptionName } from './options.ts';
import { optionsHelp } from './options-help.ts';
import { StartError } from './start-error.ts';

const hex = '0123456789abcdef0123456789abcdef';
const secret = 'a-secret-that-never-appears';
const five = {
  TALLYSTICK_ACCOUNT_SID: `AC${hex}`,
  TALLYSTICK_AUTH_TOKEN: `${secret}-1`,
  TALLYSTICK_API_KEY: `SK${hex}`,
  TALLYSTICK_API_SECRET: `${secret}-2`,
  TALLYSTICK_SERVICE_SID: `IS${hex}`,
};

function load(argv: readonly string[], env: ConfigSource['env'] = {}) {
  return loadConfig({ argv, env });
}

/** What one variable alone makes of its option. */
function valueOf(name: OptionName, text: string): unknown {
  return new Map<string, unknown>(Object.entries(load([], { [variableOf(name)]: text }))).get(name);
}

/** The lines of the refusal. */
function refusal(argv: readonly string[], env: ConfigSource['env'] = {}): string[] {
  try {
    load(argv, env);
  } catch (error) {
    assert.ok(error instanceof StartError, String(error));
    return error.message.split('\n');
  }
  return assert.fail('accepted');
}

test('[CFG1] names of variables and flags follow from the name of the option', () => {
  assert.equal(variableOf('maxFrameBytes'), 'TALLYSTICK_MAX_FRAME_BYTES');
  assert.equal(flagOf('maxFrameBytes'), '--max-frame-bytes');
  assert.equal(variableOf('host'), 'TALLYSTICK_HOST');
});

test('[CFG1] the help lists every option, and nothing that is none', () => {
  const help = optionsHelp();
  const listed = (pattern: RegExp) => [...help.matchAll(pattern)].map((match) => match[0].trim());
  assert.deepEqual(listed(/TALLYSTICK_\w+/g), optionNames.map(variableOf));
  assert.deepEqual(
    listed(/^ {2}--[a-z-]+/gm),
    optionNames.map(flagOf).filter((flag) => flag !== undefined),
  );
  for (const name of optionNames) {
    const option = optionTable[name];
    if ('default' in option && option.default !== undefined) {
      const heads = help.split('\n').filter((line) => line.includes(` ${variableOf(name)} `));
      assert.deepEqual(
        heads.map((line) => line.endsWith(` default ${option.default}`)),
        [true],
        name,
      );
    }
  }
  assert.deepEqual(
    help.split('\n').filter((line) => line.length > 80),
    [],
  );
});

test('[CFG1] every default is acceptable as a value, and every option can be given by its variable', () => {
  for (const name of optionNames) {
    const option = optionTable[name];
    if (option.credential || !('default' in option) || option.default === undefined) continue;
    assert.deepEqual(load([], { [variableOf(name)]: String(option.default) }), load([]), name);
  }
});

test('[CFG2] a flag counts before the environment, and that before the default', () => {
  const env = { TALLYSTICK_PORT: '8001', TALLYSTICK_STORE: 'memory' };
  assert.equal(load([]).port, 8080);
  assert.equal(load([], env).port, 8001);
  assert.equal(load(['--port', '8002'], env).port, 8002);
  assert.equal(load(['--port=0'], env).port, 0);
  assert.equal(load(['--port', '8002'], env).store, 'memory');
});

test('[CFG2] an empty variable counts as not given', () => {
  assert.deepEqual(load([], { TALLYSTICK_PORT: '', TALLYSTICK_API_SECRET: '' }), load([]));
  assert.deepEqual(refusal(['--port=']), ['--port needs a value']);
});

test('[CFG3] unknown flags and variables are refused, with the one that was probably meant', () => {
  assert.deepEqual(refusal(['--prot', '80']), ['--prot is no option; did you mean --port?']);
  assert.deepEqual(refusal(['--zzzzzz=1']), ['--zzzzzz is no option; --help lists them all']);
  assert.deepEqual(refusal(['-port', '80']), ['-p is no option; --help lists them all']);
  assert.deepEqual(refusal(['now']), ['"now" is not expected here; options begin with --']);
  assert.deepEqual(refusal(['--', 'now']), ['"now" is not expected here; options begin with --']);
  assert.deepEqual(refusal([], { TALLYSTICK_MAX_FRAMES_BYTES: '1' }), [
    'TALLYSTICK_MAX_FRAMES_BYTES is no option; did you mean TALLYSTICK_MAX_FRAME_BYTES?',
  ]);
  assert.deepEqual(load([], { TALLYSTICK_SOCKET_URL: 'ws://x', TALLYSTICKS: '1', PORT: '1' }), load([]));
});

test('[CFG3] the variables of a Kubernetes Service of our name are refused with the way to be rid of them', () => {
  for (const name of ['TALLYSTICK_SERVICE_HOST', 'TALLYSTICK_SERVICE_PORT_HTTP', 'TALLYSTICK_PORT_8080_TCP_ADDR']) {
    assert.match(refusal([], { [name]: 'x' }).join(), new RegExp(`^${name} .*enableServiceLinks: false`));
  }
});

test('[CFG3] a command may take a part of the flags', () => {
  assert.throws(() => loadConfig({ argv: ['--port', '1'], env: {}, flags: ['dataDir'] }), /^StartError: --port is no/);
  assert.equal(loadConfig({ argv: ['--data-dir', '/d'], env: {}, flags: ['dataDir'] }).dataDir, '/d');
});

test('[CFG4] a bad value is refused with its name, itself and what would do; all problems at once', () => {
  const lines = refusal(['--port', '65536', '--host', '--log-level', 'loud'], {
    TALLYSTICK_STORE: 'mysql',
    TALLYSTICK_PROT: '1',
    TALLYSTICK_PUBLIC_URL: 'https://example.org/sync',
  });
  assert.deepEqual(lines.toSorted(), [
    '"loud" is not expected here; options begin with --',
    '--host needs a value',
    '--port is "65536"; give a whole number from 0 to 65535',
    'TALLYSTICK_PROT is no option; did you mean TALLYSTICK_PORT?',
    'TALLYSTICK_PUBLIC_URL is "https://example.org/sync"; give an http or https address without a path, such as https://sync.example.org',
    'TALLYSTICK_STORE is "mysql"; give one of sqlite, memory',
  ]);
});

test('[CFG4] numbers are whole, in digits and in their range', () => {
  for (const bad of ['-1', '1.5', '1e3', '0x10', ' 1', 'NaN', '9'.repeat(30)]) {
    assert.match(refusal([], { TALLYSTICK_PORT: bad }).join(), /^TALLYSTICK_PORT is ".*"; give a whole number/, bad);
  }
  for (const name of optionNames) {
    const option = optionTable[name];
    if (option.type !== 'number') continue;
    for (const good of [option.min, option.max]) {
      assert.equal(valueOf(name, String(good)), good, name);
    }
    assert.equal(refusal([], { [variableOf(name)]: String(option.max + 1) }).length, 1, name);
    if (option.min > 1) assert.equal(refusal([], { [variableOf(name)]: String(option.min - 1) }).length, 1, name);
    if (option.min === 1 && !option.unlimited) {
      assert.equal(refusal([], { [variableOf(name)]: '0' }).length, 1, name);
    }
  }
});

test('[CFG4] where 0 means no limit, the bound is Infinity and the help says so', () => {
  for (const name of optionNames) {
    const option = optionTable[name];
    const unlimited = option.type === 'number' && option.unlimited === true;
    assert.equal(option.prose.endsWith('0: no limit.'), unlimited, name);
    if (unlimited) assert.equal(valueOf(name, '0'), Infinity, name);
  }
});

test('[BND15] 0 takes every bound of the listener and of a connection away', () => {
  for (const name of [
    'maxConnections',
    'maxConnectionsPerAddress',
    'connectionRate',
    'requestRate',
    'maxRequests',
    'requestTimeoutMs',
    'maxHeaderBytes',
    'maxUrlBytes',
    'maxFrameBytes',
    'initTimeoutMs',
    'maxSubscriptions',
    'outboxBytes',
    'writeQueue',
  ] as const) {
    assert.equal(load([], { [variableOf(name)]: '0' })[name], Infinity, name);
  }
});

test('[CFG4] addresses have no scheme, port or brackets; the public address has no path', () => {
  for (const good of ['::1', '0.0.0.0', 'localhost', 'db-1.example.org'])
    assert.equal(load(['--host', good]).host, good);
  for (const bad of ['http://x', '[::1]', 'a b', 'x/y']) assert.equal(refusal(['--host', bad]).length, 1, bad);

  assert.equal(load([]).publicUrl, undefined);
  for (const good of ['https://a.example.org', 'http://127.0.0.1:8080']) {
    assert.equal(load(['--public-url', good]).publicUrl, good);
    assert.equal(load(['--public-url', `${good}/`]).publicUrl, good);
  }
  for (const bad of [
    'a.example.org',
    'wss://a',
    'https://a/b',
    'https://a?',
    'https://a#',
    'https://u:p@a',
    'https://',
  ]) {
    assert.equal(refusal(['--public-url', bad]).length, 1, bad);
  }
  assert.equal(refusal([], { TALLYSTICK_DATA_DIR: '  ' }).length, 1);
});

test('[CFG4] a long or odd value is quoted short and on one line', () => {
  const [line, ...more] = refusal(['--host', `a\n\u001b[31m${'b'.repeat(5000)}`]);
  assert.deepEqual(more, []);
  assert.ok(line !== undefined && line.length < 250 && !line.includes('\u001b'));
});

test('[CFG5] secrets are no flags, and their values are in no message', () => {
  for (const name of ['authToken', 'apiSecret'] as const) {
    const flag = `--${dashed(name)}`;
    for (const argv of [[flag, secret], [`${flag}=${secret}`]]) {
      assert.deepEqual(refusal(argv), [
        `${flag} is not taken as a flag, since others can read command lines; set ${variableOf(name)} instead`,
      ]);
    }
  }
  assert.deepEqual(refusal(['--auth-tokn', secret]), ['--auth-tokn is no option; --help lists them all']);
  // A secret in the place of a sid is the likely mistake.
  const swapped = {
    ...five,
    TALLYSTICK_API_KEY: secret,
    TALLYSTICK_AUTH_TOKEN: 'short',
    TALLYSTICK_API_SECRETS: secret,
  };
  assert.deepEqual(refusal([], swapped), [
    'TALLYSTICK_API_SECRETS is no option; did you mean TALLYSTICK_API_SECRET?',
    'TALLYSTICK_AUTH_TOKEN is not acceptable; give 16 to 256 printable ASCII characters without blanks',
    'TALLYSTICK_API_KEY is not acceptable; give SK and 32 lower-case hex digits',
  ]);
});

test('[CFG6] the five credentials are taken together: exactly those, none, or a refusal that names the missing', () => {
  assert.equal(load([]).credentials, undefined);
  assert.deepEqual(load([], five).credentials, {
    accountSid: five.TALLYSTICK_ACCOUNT_SID,
    authToken: five.TALLYSTICK_AUTH_TOKEN,
    apiKey: five.TALLYSTICK_API_KEY,
    apiSecret: five.TALLYSTICK_API_SECRET,
    serviceSid: five.TALLYSTICK_SERVICE_SID,
  });
  assert.equal(load(['--service-sid', `IS${'f'.repeat(32)}`], five).credentials?.serviceSid, `IS${'f'.repeat(32)}`);
  assert.deepEqual(refusal([], { ...five, TALLYSTICK_API_KEY: undefined, TALLYSTICK_API_SECRET: '' }), [
    'TALLYSTICK_API_KEY, TALLYSTICK_API_SECRET not set: the five credentials are taken all together or not at all',
  ]);
});

test('[CFG6] sids have their prefix and 32 lower-case hex digits, secrets 16 characters or more', () => {
  for (const bad of [`ac${hex}`, `SK${hex}`, `AC${hex.toUpperCase()}`, `AC${hex}0`]) {
    assert.equal(refusal([], { ...five, TALLYSTICK_ACCOUNT_SID: bad }).length, 1, bad);
  }
  for (const bad of ['x'.repeat(15), `${'x'.repeat(16)} `, 'ä'.repeat(16)]) {
    assert.equal(refusal([], { ...five, TALLYSTICK_AUTH_TOKEN: bad }).length, 1, bad);
  }
});

test('[CFG6] credentials are read from any such record, whatever else is in it', () => {
  const record: ConfigSource['env'] = { ...five, TALLYSTICK_PROT: '1', TWILIO_API_KEY: 'x' };
  assert.deepEqual(credentialsOf(record), load([], five).credentials);
  assert.equal(credentialsOf({ TWILIO_API_KEY: 'x' }), undefined);
  assert.throws(() => credentialsOf({ TALLYSTICK_API_KEY: five.TALLYSTICK_API_KEY }), StartError);
});

test('[CFG4] [CON14] proxies to trust are addresses, networks and names with commas between', () => {
  assert.equal(load([]).trustedProxies, undefined);
  const given = ' 10.0.0.0/8,loopback, 2001:db8::/32 ,192.0.2.1,::1';
  assert.deepEqual(load(['--trusted-proxies', given]).trustedProxies, [
    '10.0.0.0/8',
    'loopback',
    '2001:db8::/32',
    '192.0.2.1',
    '::1',
  ]);
  const refused = ['true', '1', '*', '0.0.0.0/0', '::/0', '10.0.0.0/33', '10.0.0.0/8/8', 'proxy.example.org', '::1,'];
  for (const bad of [...refused, '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/255.0.0.0', 'fe80::1%eth0', 'Loopback']) {
    assert.match(refusal(['--trusted-proxies', bad]).join(), /give addresses, networks such as 10\.0\.0\.0\/8/, bad);
  }
});

test('[CFG4] [CON16] allowed origins are origins with commas between, as browsers write them', () => {
  assert.equal(load([]).allowedOrigins, undefined);
  const given = 'https://app.example.org, HTTP://LOCALHOST:3000/,https://a.example.org:443';
  const expected = ['https://app.example.org', 'http://localhost:3000', 'https://a.example.org'];
  assert.deepEqual(load([], { TALLYSTICK_ALLOWED_ORIGINS: given }).allowedOrigins, expected);
  for (const bad of ['*', 'app.example.org', 'https://*.example.org', 'https://a,,https://b', 'null']) {
    assert.equal(refusal(['--allowed-origins', bad]).length, 1, bad);
  }
});

test('[CFG4] [OPS4] certificate and key are taken together', () => {
  const { tlsCert, tlsKey } = load(['--tls-cert', 'a.pem'], { TALLYSTICK_TLS_KEY: '/b/key.pem' });
  assert.deepEqual([tlsCert, tlsKey], ['a.pem', '/b/key.pem']);
  assert.deepEqual([load([]).tlsCert, load([]).tlsKey], [undefined, undefined]);
  const fix = 'not set: certificate and key are taken together or not at all';
  assert.deepEqual(refusal(['--tls-cert', 'a.pem']), [`TALLYSTICK_TLS_KEY ${fix}`]);
  assert.deepEqual(refusal(['--tls-key', 'a.pem']), [`TALLYSTICK_TLS_CERT ${fix}`]);
});
