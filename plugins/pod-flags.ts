import { defaultImage, defaultToolsImage } from '../src/options.ts'
import { many, one, text } from './flag-kinds.ts'
import { oneOf } from './values/choice.ts'
import { readEnv } from './values/environment.ts'
import { readPair, readPairs } from './values/pairs.ts'
import { readToleration } from './values/toleration.ts'

/** The flags of what the ephemeral pod looks like. */
export const podFlags = {
  image: one(text, {
    value: 'IMAGE',
    default: defaultImage,
    group: 'pod',
    summary: 'The image that the command runs in. Its entrypoint is not run.',
  }),
  'image-pull-policy': one(oneOf('Always', 'IfNotPresent', 'Never'), {
    value: 'POLICY',
    default: 'IfNotPresent',
    group: 'pod',
    summary: 'Always, IfNotPresent or Never.',
  }),
  env: many(readEnv, {
    value: 'NAME[=VALUE]',
    group: 'pod',
    summary: 'Set an environment variable; without a value, copy it from here. Repeatable.',
  }),
  'env-file': many(text, {
    value: 'FILE',
    group: 'pod',
    summary: 'Set the environment variables of a file, one NAME[=VALUE] a line. Repeatable.',
  }),
  workdir: one(text, {
    char: 'w',
    value: 'DIR',
    group: 'pod',
    summary: "The command's working directory, instead of the image's.",
  }),
  limits: many(readPairs, {
    value: 'NAME=AMOUNT,...',
    group: 'pod',
    summary: 'The most that the command may use: --limits=cpu=1,memory=512Mi.',
  }),
  requests: many(readPairs, {
    value: 'NAME=AMOUNT,...',
    group: 'pod',
    summary: 'What the node must have to spare.',
  }),
  labels: many(readPairs, { char: 'l', value: 'KEY=VALUE,...', group: 'pod', summary: 'Labels for the pod.' }),
  annotations: many(readPair, {
    value: 'KEY=VALUE',
    group: 'pod',
    summary: 'An annotation for the pod. Repeatable.',
  }),
  serviceaccount: one(text, { value: 'NAME', group: 'pod', summary: 'The service account that the pod runs as.' }),
  'node-selector': many(readPairs, {
    value: 'KEY=VALUE,...',
    group: 'pod',
    summary: 'The labels that the node must have.',
  }),
  toleration: many(readToleration, {
    value: 'TAINT',
    group: 'pod',
    summary: 'A taint that the node may have: KEY[=VALUE][:EFFECT]. Repeatable.',
  }),
  overrides: one(text, { value: 'JSON', group: 'pod', summary: "A patch of the pod's manifest." }),
  'override-type': one(oneOf('merge', 'strategic', 'json'), {
    value: 'TYPE',
    default: 'merge',
    group: 'pod',
    summary: 'The kind of that patch: merge, strategic or json.',
  }),
  tools: one(oneOf('auto', 'always', 'never'), {
    value: 'WHEN',
    default: 'auto',
    group: 'pod',
    summary: 'Bring a static BusyBox along: always, never, or when the image has no shell.',
  }),
  'tools-image': one(text, {
    value: 'IMAGE',
    default: defaultToolsImage,
    group: 'pod',
    summary: 'The image that the BusyBox comes from.',
  }),
}
