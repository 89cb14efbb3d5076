#!/usr/bin/env node
/*
 * Starts the command with a Node that is new enough, from TypeScript in a clone and from the built files when installed.
 * Any Node since 10 can parse this file, so that an old one prints the line below instead of a syntax error: no static
 * import, no import.meta, nothing newer than ES2015 but import().
 */

const leastNode = 24;
const sourceCondition = '--conditions=@tallystick/source';

function startFromSource(source) {
  // The condition makes the packages of a clone resolve to their TypeScript; it can only be set at the start of a process.
  const args = process.execArgv.concat(sourceCondition, source, process.argv.slice(2));
  if (process.execve) return process.execve(process.execPath, [process.execPath].concat(args), process.env);
  return import('child_process').then((childProcess) => {
    const ended = childProcess.spawnSync(process.execPath, args, { stdio: 'inherit' });
    process.exitCode = ended.status === null ? 1 : ended.status;
  });
}

function start() {
  return Promise.all([import('fs'), import('path')]).then(([fs, path]) => {
    const source = path.join(path.dirname(fs.realpathSync(process.argv[1])), '..', 'src', 'main.ts');
    if (!fs.existsSync(source)) return import('../dist/main.js');
    if (process.execArgv.indexOf(sourceCondition) >= 0) return import('../src/main.ts');
    return startFromSource(source);
  });
}

if (Number(process.versions.node.split('.')[0]) < leastNode) {
  process.stderr.write(
    'tallystick: this is Node ' +
      process.versions.node +
      ', and Tallystick needs ' +
      leastNode +
      ' or newer; install one from https://nodejs.org (in a clone on Linux, `npm ci` brings it)\n',
  );
  process.exitCode = 1;
} else {
  void start();
}
