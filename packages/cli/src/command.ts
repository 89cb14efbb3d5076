/** What a command is, as data: its help follows from it, and the way to it from the command line. */

import type { OptionName } from '@tallystick/server';
import type { Flags, Word } from './arguments.ts';
import type { Surroundings } from './surroundings.ts';

export interface Command {
  /** The word that calls it; a noun's verb for those below a noun. */
  readonly name: string;
  /** All of it, from `tallystick` on. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Paragraphs of the command's own help, at most 80 columns wide. */
  readonly help: string;
  /** What it takes beside the options of the service. */
  readonly flags?: Flags;
  readonly word?: Word;
  /** Options of the service that it takes as flags; all by default. */
  readonly options?: readonly OptionName[];
  /** What follows `--` is the command line of a program that it runs. */
  readonly passesOn?: true;
  /** It waits for `stopRequested` itself, to end in order. Others are left at once. */
  readonly endsInOrder?: true;
  /** Gets what follows its name and resolves to the exit code. */
  readonly run: (argv: readonly string[], surroundings: Surroundings) => Promise<number>;
}

/** Commands on one kind of thing, called by two words: `tallystick keys create`. */
export interface Noun {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  readonly verbs: readonly Command[];
}
