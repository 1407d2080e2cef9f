/**
 * The scripts of `dialog-sip completion`. Each goes by the same places: where in the tree of commands the words so far have led,
 * what stands there, and what an option there may be. Places are written as the shell puts them together: "", " mappings", " mappings list".
 */
import type { Command, Option } from 'commander';

export const completionShells = ['bash', 'zsh', 'fish'] as const;
export type CompletionShell = (typeof completionShells)[number];

interface Offer {
  word: string;
  says: string;
}

interface OptionOffer extends Offer {
  value: 'none' | 'file' | 'other' | readonly string[];
}

interface Place {
  path: readonly string[];
  commands: Offer[];
  options: OptionOffer[];
  /** What the first argument may be, where it is one of a few words. */
  words: readonly string[];
  takesFile: boolean;
}

function placesOf(command: Command, path: readonly string[] = []): Place[] {
  const help = command.createHelp();
  const offered = help.visibleCommands(command);
  const [first] = command.registeredArguments;
  const here: Place = {
    path,
    commands: offered.map((child) => ({ word: child.name(), says: help.subcommandDescription(child) })),
    options: help.visibleOptions(command).map(offerOption),
    words: first?.argChoices ?? [],
    takesFile: first?.name() === 'file',
  };
  return [here, ...command.commands.flatMap((child) => placesOf(child, [...path, child.name()]))];
}

function offerOption(option: Option): OptionOffer {
  return { word: option.long ?? option.flags, says: option.description.replaceAll('\n', ' '), value: valueOf(option) };
}

function valueOf(option: Option): OptionOffer['value'] {
  if (!option.required && !option.optional) return 'none';
  if (option.argChoices !== undefined) return option.argChoices;
  return option.flags.includes('<file>') ? 'file' : 'other';
}

/** In single quotes of bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function at(path: readonly string[], word?: string): string {
  return quoted([...path, ...(word === undefined ? [] : [word])].map((part) => ` ${part}`).join(''));
}

/** Words of a `case`: every step down the tree. */
function steps(places: readonly Place[], between = '|'): string {
  return places.filter(({ path }) => path.length > 0).map(({ path }) => at(path)).join(between);
}

/** Where an option stands whose value is of that kind. */
function optionsOfKind(places: readonly Place[], wanted: OptionOffer['value']): string {
  return places.flatMap(({ path, options }) => options.filter(({ value }) => value === wanted).map(({ word }) => at(path, word))).join('|');
}

function optionsWithChoices(places: readonly Place[]): [string, readonly string[]][] {
  return places.flatMap(({ path, options }) => options.flatMap(({ word, value }): [string, readonly string[]][] => (typeof value === 'string' ? [] : [[at(path, word), value]])));
}

/** What is nothing of ours is left to `-o default`, which knows files. */
function bash(program: Command): string {
  const places = placesOf(program);
  const offers = (words: readonly string[]): string => `COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$cur"))`;
  return [
    '# dialog-sip, for bash',
    '_dialog_sip() {',
    `  local cur="\${COMP_WORDS[COMP_CWORD]}" at='' i`,
    '  COMPREPLY=()',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case "$at ${COMP_WORDS[i]}" in',
    `      ${steps(places)}) at="$at \${COMP_WORDS[i]}" ;;`,
    '    esac',
    '  done',
    '  case "$at ${COMP_WORDS[COMP_CWORD-1]}" in',
    ...optionsWithChoices(places).map(([option, choices]) => `    ${option}) ${offers(choices)}; return ;;`),
    `    ${optionsOfKind(places, 'file')}|${optionsOfKind(places, 'other')}) return ;;`,
    '  esac',
    '  case "$at" in',
    ...places.map(({ path, commands, options, words, takesFile }) => {
      const [named, dashed] = [[...commands.map(({ word }) => word), ...words], options.map(({ word }) => word)];
      const asked = takesFile || named.length > 0 ? `if [[ $cur == -* ]]; then ${offers(dashed)}; else ${offers(named)}; fi` : offers(dashed);
      return `    ${at(path)}) ${asked} ;;`;
    }),
    '  esac',
    '}',
    'complete -o default -F _dialog_sip dialog-sip',
    '',
  ].join('\n');
}

/** For a folder of `fpath`, and for `source <(dialog-sip completion zsh)`. */
function zsh(program: Command): string {
  const places = placesOf(program);
  const described = (offers: readonly Offer[]): string => offers.map(({ word, says }) => quoted(says === '' ? word : `${word}:${says.replaceAll('\\', '\\\\')}`)).join(' ');
  return [
    '#compdef dialog-sip',
    '_dialog-sip() {',
    "  local at='' i",
    '  local -a commands options',
    '  for ((i = 2; i < CURRENT; i++)); do',
    '    case "$at ${words[i]}" in',
    `      (${steps(places)}) at="$at \${words[i]}" ;;`,
    '    esac',
    '  done',
    '  case "$at ${words[CURRENT-1]}" in',
    ...optionsWithChoices(places).map(([option, choices]) => `    (${option}) compadd -- ${choices.join(' ')}; return ;;`),
    `    (${optionsOfKind(places, 'file')}) _files; return ;;`,
    `    (${optionsOfKind(places, 'other')}) _message 'a value'; return ;;`,
    '  esac',
    '  case "$at" in',
    ...places.map(({ path, commands, options, words, takesFile }) => {
      const named = [...commands, ...words.map((word) => ({ word, says: '' }))];
      return `    (${at(path)}) commands=(${described(named)}); options=(${described(options)})${takesFile ? '; _files' : ''} ;;`;
    }),
    '  esac',
    "  (( $#commands )) && _describe 'command' commands",
    "  _describe -o 'option' options",
    '}',
    'if [[ "$funcstack[1]" == _dialog-sip ]]; then _dialog-sip "$@"; else compdef _dialog-sip dialog-sip; fi',
    '',
  ].join('\n');
}

function fish(program: Command): string {
  const places = placesOf(program);
  const inFish = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
  const values = (value: OptionOffer['value']): string => {
    if (typeof value !== 'string') return ` -x -a ${inFish(value.join(' '))}`;
    return { none: '', file: ' -r -F', other: ' -x' }[value];
  };
  const lines = places.flatMap(({ path, commands, options, words, takesFile }) => {
    const line = (rest: string, says: string): string => {
      const when = inFish(`__dialog_sip_at "${path.map((part) => ` ${part}`).join('')}"`);
      return `complete -c dialog-sip -n ${when} ${rest}${says === '' ? '' : ` -d ${inFish(says)}`}`;
    };
    return [
      ...commands.map(({ word, says }) => line(`-a ${word}`, says)),
      ...words.map((word) => line(`-a ${word}`, '')),
      ...options.map(({ word, says, value }) => line(`-l ${word.slice(2)}${values(value)}`, says)),
      ...(takesFile ? [line('-F', '')] : []),
    ];
  });
  return [
    '# dialog-sip, for fish',
    'function __dialog_sip_at',
    "  set -l at ''",
    '  for word in (commandline -opc)',
    '    switch "$at $word"',
    `      case ${steps(places, ' ')}`,
    '        set at "$at $word"',
    '    end',
    '  end',
    '  test "$at" = "$argv[1]"',
    'end',
    'complete -c dialog-sip -f',
    ...lines,
    '',
  ].join('\n');
}

export const completionScripts: Readonly<Record<CompletionShell, (program: Command) => string>> = { bash, zsh, fish };
