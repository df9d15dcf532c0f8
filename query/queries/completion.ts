/** Completions for shells: each asks snoopq itself what may come next, so none of them knows a question. */

import { databasePath } from '../../migrations/database.js';
import { SnoopError } from '../../migrations/errors.js';
import { complete, databaseOf } from '../completion.js';
import type { Io } from '../io.js';
import { type Answer, defineQuery } from '../query.js';
import { openRecording } from '../segments.js';
import { questions } from './index.js';

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_snoopq() {
  local words
  words=$(snoopq completion words --line "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _snoopq snoopq
`,
  zsh: `#compdef snoopq
_snoopq() {
  local -a found
  found=(\${(f)"$(snoopq completion words --line "\${LBUFFER:-$words[1,CURRENT]}" 2>/dev/null)"})
  compadd -a found || _files
}
if [[ $funcstack[1] = _snoopq ]]; then _snoopq; else compdef _snoopq snoopq; fi
`,
  fish: `complete -c snoopq -f -a '(snoopq completion words --line (commandline -cp | string collect) 2>/dev/null)'
`,
};
const SHELLS = Object.keys(SCRIPTS);

export const completion = defineQuery({
  name: 'completion',
  summary: 'completions for bash, zsh or fish',
  why: 'Prints what a shell needs to complete questions, options, signals and time words, and from the recording pids, names of commands, units, containers and users, as far as you may read it.',
  examples: [
    { command: 'snoopq completion bash', doc: 'for ~/.bashrc: source <(snoopq completion bash)' },
    {
      command: 'snoopq completion fish',
      doc: 'for fish: snoopq completion fish > ~/.config/fish/completions/snoopq.fish',
    },
  ],
  args: [
    {
      name: 'shell',
      shown: 'SHELL',
      kind: 'text',
      doc: `${SHELLS.join(', ')}; words: what fits at the end of --line`,
    },
  ],
  options: [
    { name: 'line', flags: '--line <text>', kind: 'text', doc: 'a command line up to the cursor, for words' },
  ],
  shapes: [{ text: 'text' }],
  docs: { text: 'what the shell reads' },
  events: [],
  isOffline: true,
  answer(_, { shell, line }, io): Answer {
    const text = shell === 'words' ? wordsFor(String(line ?? ''), io) : SCRIPTS[String(shell)];
    if (text === undefined)
      throw new SnoopError('usage', `no completion is known for '${shell}'`, `one of: ${SHELLS.join(', ')}`);
    return {
      columns: { text: 'text' },
      rows: [{ text }],
      text: () => text,
      gaps: [],
      sought: 'words',
      isFound: text !== '',
    };
  },
});

function wordsFor(line: string, io: Io): string {
  const path = databasePath(databaseOf(line));
  io.watch?.(path);
  const recording = open(path);
  try {
    return complete(line, questions, recording?.db)
      .map(word => `${word}\n`)
      .join('');
  } finally {
    recording?.db.close();
  }
}

function open(path: string) {
  try {
    return openRecording(path);
  } catch (error) {
    if (error instanceof SnoopError) return undefined; // no recording: the words of the language alone
    throw error;
  }
}
