export { createServer, makeDirectory } from './server.ts';
export type { Server, Surroundings } from './server.ts';
export { credentialsOf, loadConfig } from './config.ts';
export type { Config, ConfigSource, Credentials } from './config.ts';
export { optionsHelp } from './options-help.ts';
export type { OptionName } from './options.ts';
export { nearest } from './nearest.ts';
export { StartError } from './start-error.ts';
export type { Clock, Log } from './platform.ts';
