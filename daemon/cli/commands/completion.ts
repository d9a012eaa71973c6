import type { Command } from 'commander';
import { oneOf } from './options.ts';
import type { Session } from './session.ts';

/** completion. */
export function addCompletionCommand(program: Command, session: Session): void {
  program
    .command('completion <shell>')
    .description('print a completion script: source <(remuda completion bash)')
    .action((shell: string) => {
      const words = wordTable(program);
      session.printer.answer(
        oneOf(shell, ['bash', 'zsh'], 'shell') === 'bash' ? bashScript(words) : zshScript(words),
      );
    });
}

/** Words that may follow, by the command words before: `operation` → `resume cancel …`. */
function wordTable(program: Command): ReadonlyMap<string, readonly string[]> {
  const table = new Map<string, readonly string[]>();
  const visit = (command: Command, path: readonly string[]): void => {
    const visible = command.createHelp().visibleCommands(command);
    const options = command
      .createHelp()
      .visibleOptions(command)
      .flatMap((option) => [option.short, option.long].filter((flag) => flag !== undefined));
    table.set(path.join(' '), [...visible.map((child) => child.name()), ...options]);
    for (const child of visible)
      if (child.commands.length > 0 || child.options.length > 0) visit(child, [...path, child.name()]);
  };
  visit(program, []);
  return table;
}

const caseLines = (words: ReadonlyMap<string, readonly string[]>): string =>
  [...words].map(([path, next]) => `    "${path}") words="${next.join(' ')}" ;;`).join('\n');

/** Takes the command words before the cursor, without options and their values, as the key of the table. */
const chooseWords = (words: ReadonlyMap<string, readonly string[]>): string => `  local path="" word words=""
  for word in "\${typed[@]}"; do
    case "$word" in -*) ;; *) case "\${path}" in "") path="$word" ;; *) case "$path" in "operation"|"secret"|"payload"|"agent"|"token") path="$path $word" ;; esac ;; esac ;; esac
  done
  case "$path" in
${caseLines(words)}
  esac`;

const bashScript = (words: ReadonlyMap<string, readonly string[]>): string => `_remuda() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  case "$previous" in -f|--file|--token-file|--from-file) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  local typed=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${chooseWords(words)}
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _remuda remuda`;

const zshScript = (words: ReadonlyMap<string, readonly string[]>): string => `#compdef remuda
_remuda() {
  local typed=("\${(@)words[2,CURRENT-1]}") previous="\${words[CURRENT-1]}"
  case "$previous" in -f|--file|--token-file|--from-file) _files; return ;; esac
${chooseWords(words).replaceAll('words', 'candidates')}
  compadd -- \${=candidates}
}
compdef _remuda remuda`;
