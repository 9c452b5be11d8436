import { biwarpHelp } from './biwarp-help.ts'
import type { PluginHelpTexts } from './help-texts.ts'

/** What the help of kubebiwarp says beside the flags. */
export const kubebiwarpHelp: PluginHelpTexts = {
  usage: '[flags] [--] INCLUDE COMMAND [ARG...]',
  description:
    'The short form of "kubectl biwarp --include=INCLUDE COMMAND": run one command in an ephemeral pod, to which what ' +
    'matches INCLUDE goes up from the local folder, and from which what matches it comes back as far as the command ' +
    'created, changed or deleted it. It need not match anything yet. A file that changed here as well stays as it is ' +
    'here, and what the command made of it comes beside it as NAME.remote-RUNID (--on-conflict), with a warning. INCLUDE ' +
    'is a line of a .gitignore; quote it, or your shell makes files of it. What git ignores neither goes nor comes. ' +
    'A SIZE is such as 500MB, 1.5GB or 200MiB; a bare number is bytes. ' +
    'A TIME is such as 90s, 1m30s, 1.5h or 200ms; a bare number is seconds.',
  examples: [
    [
      'Five at once, each with a file of its own',
      'seq 1 5 | xargs -P5 -I{} {bin} "hello.{}.txt" "echo hello {} > hello.{}.txt"; cat hello.*.txt',
    ],
    ['One file goes up, and comes back sorted', "{bin} words.txt 'sort -o words.txt words.txt'"],
    ['Two patterns', "{bin} --include=LICENSE 'docs/**' 'sed -i s/2025/2026/ LICENSE docs/*'"],
    ['What would go up, and why', "{bin} --plan 'src/**'"],
  ],
  exitCodes: biwarpHelp.exitCodes,
}
