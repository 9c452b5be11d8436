import type { PluginHelpTexts } from './help-texts.ts'

/** What the help of kuberun says beside the flags. */
export const kuberunHelp: PluginHelpTexts = {
  usage: '[flags] [--] COMMAND [ARG...]',
  description:
    'Run one command in an ephemeral pod as if it ran here: stdin, stdout, stderr, signals and the exit code are its own, ' +
    'and the pod is gone afterwards. Flags end at the first word that is not one, or at "--": the rest is the command. ' +
    'A TIME is such as 90s, 1m30s or 1.5h; a bare number is seconds.',
  examples: [
    ['One command in a fresh alpine pod', '{bin} echo hello world'],
    ['One word with shell syntax in it goes to sh -c', "{bin} 'uname -a | tr a-z A-Z'"],
    ['stdin goes to the command', 'tar c . | {bin} --image=debian:stable tar tv'],
    [
      'In a loop that reads a list, the run would take the list: give it another stdin',
      'while read host; do {bin} nslookup "$host" </dev/null; done <hosts   # or --stdin=false',
    ],
    ['A shell, in another namespace, with variables', '{bin} -n dev --env DEBUG=1 --env HTTP_PROXY sh'],
    ['Ten at once', "seq 1 10 | xargs -P10 -I{} {bin} --limits=memory=64Mi 'echo {}; sleep 1'"],
    ['What would be made', '{bin} --dry-run=client -o yaml echo hi'],
  ],
  exitCodes: [
    ['0-255', "the command's own"],
    ['124', 'the command took longer than --timeout'],
    ['125', 'kuberun itself failed: flags, cluster, pod or stream'],
    ['126', 'the command cannot be executed'],
    ['127', 'the command was not found'],
    ['128+N', 'signal N ended the command'],
  ],
}
