import { many, one, text, toggle } from './flag-kinds.ts'
import { podFlags } from './pod-flags.ts'
import { oneOf } from './values/choice.ts'
import { readDuration } from './values/duration.ts'
import { readDryRun, readLevel, readRemove, readRestart } from './values/words.ts'

const run = {
  stdin: toggle({
    char: 'i',
    value: '[=false]',
    default: 'true',
    group: 'run',
    summary: 'Forward stdin to the command; on by default.',
  }),
  tty: toggle({
    char: 't',
    value: '[=false]',
    group: 'run',
    summary: 'Give the command a terminal. By default: when stdin, stdout and stderr are terminals.',
  }),
  quiet: toggle({ char: 'q', default: 'false', group: 'run', summary: 'Do not show what is being waited for.' }),
  shell: one(oneOf('auto', 'always', 'never'), {
    value: 'WHEN',
    default: 'auto',
    group: 'run',
    summary:
      'Run the command by "sh -c": always, never, or when it is one word with white space or shell syntax in it.',
  }),
  timeout: one(readDuration, {
    value: 'TIME',
    group: 'run',
    summary: 'End the command after this time and exit with 124.',
  }),
  'grace-period': one(readDuration, {
    value: 'TIME',
    default: '10s',
    group: 'run',
    summary: 'How long a signalled command may take to end before it is killed.',
  }),
  'pod-running-timeout': one(readDuration, {
    value: 'TIME',
    default: '5m',
    group: 'run',
    summary: 'How long the pod may take to start.',
  }),
  'dry-run': one(readDryRun, {
    value: '=client',
    implied: 'client',
    default: 'none',
    group: 'run',
    summary: 'Only print the pod that would be made.',
  }),
  output: one(oneOf('yaml', 'json'), {
    char: 'o',
    value: 'yaml|json',
    group: 'run',
    summary: 'The format for --dry-run.',
  }),
  v: one(readLevel, {
    char: 'v',
    value: '[=N]',
    implied: '1',
    default: '0',
    group: 'run',
    summary: 'Tell the time of each phase; 9 adds stacks to errors.',
  }),
}

const cleanup = {
  rm: one(readRemove, {
    value: '[=WHEN]',
    implied: 'always',
    default: 'always',
    group: 'clean-up',
    summary: 'Delete the pod after the command: always, on-success or never.',
  }),
  deadline: one(readDuration, {
    value: 'TIME',
    default: '24h',
    group: 'clean-up',
    summary: 'Kubernetes ends the pod after this time, whatever happens.',
  }),
  'orphan-timeout': one(readDuration, {
    value: 'TIME',
    default: '60s',
    group: 'clean-up',
    summary: 'The pod ends itself when it has not heard from here for this time.',
  }),
  record: toggle({
    default: 'false',
    group: 'clean-up',
    summary: "Note the command's arguments in the pod's annotations, where all who may read pods see them.",
  }),
}

const cluster = {
  namespace: one(text, { char: 'n', value: 'NAME', group: 'cluster', summary: 'The namespace of the pod.' }),
  context: one(text, { value: 'NAME', group: 'cluster', summary: 'The context of the kubeconfig.' }),
  kubeconfig: one(text, { value: 'FILE', group: 'cluster', summary: 'The kubeconfig file.' }),
  cluster: one(text, { value: 'NAME', group: 'cluster', summary: 'The cluster of the kubeconfig.' }),
  user: one(text, { value: 'NAME', group: 'cluster', summary: 'The user of the kubeconfig.' }),
  as: one(text, { value: 'USER', group: 'cluster', summary: 'Act as this user.' }),
  'as-group': many(text, { value: 'GROUP', group: 'cluster', summary: 'Act as a member of this group. Repeatable.' }),
  'request-timeout': one(readDuration, {
    value: 'TIME',
    default: '60s',
    group: 'cluster',
    summary: 'How long one request to the API server may take; 0: no limit.',
  }),
}

const general = {
  help: toggle({ char: 'h', default: 'false', group: 'general', summary: 'Print this help.' }),
  version: toggle({ default: 'false', group: 'general', summary: 'Print the version.' }),
}

// What people have in their fingers from kubectl run, and what is so here anyway.
const ignored = {
  restart: one(readRestart, { group: 'ignored', summary: 'Accepted; is Never.', hidden: true }),
  command: toggle({ group: 'ignored', summary: 'Accepted; is so.', hidden: true }),
}

/** The flags of every plugin that runs a command. The help, the README and the parser follow this table. */
export const flags = { ...run, ...podFlags, ...cleanup, ...cluster, ...general, ...ignored }
