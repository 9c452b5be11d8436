import { defaultRemoteDir } from '../src/options.ts'
import { many, one, text, toggle } from './flag-kinds.ts'
import { readPattern } from './values/pattern.ts'
import { readSize } from './values/size.ts'

/** The flags of what goes up to the pod, and when. */
export const syncFlags = {
  dir: one(text, { value: 'FOLDER', default: '.', group: 'sync', summary: 'The folder that goes up to the pod.' }),
  'remote-dir': one(text, {
    value: 'PATH',
    default: defaultRemoteDir,
    group: 'sync',
    summary: 'Where it goes in the container; the command starts there.',
  }),
  exclude: many(readPattern, {
    value: 'PATTERN',
    group: 'sync',
    summary: 'Leave out what matches this line of a .gitignore. Repeatable.',
  }),
  include: many(readPattern, {
    value: 'PATTERN',
    group: 'sync',
    summary: 'Send only what matches this line of a .gitignore. Repeatable.',
  }),
  'no-ignore': toggle({
    default: 'false',
    group: 'sync',
    summary: 'Send also what git ignores, and what .warpignore names.',
  }),
  plan: toggle({ default: 'false', group: 'sync', summary: 'Only show what would go up, and why.' }),
  'max-upload': one(readSize, {
    value: 'SIZE',
    default: '500MB',
    group: 'sync',
    summary: 'From more than this, ask before the upload; where nobody can be asked, fail.',
  }),
  once: toggle({ default: 'false', group: 'sync', summary: 'Send nothing more once the command runs.' }),
  'on-sync': one(text, {
    value: 'COMMAND',
    group: 'sync',
    summary: 'Run this shell line in the pod after each change that went up.',
  }),
  strict: toggle({ default: 'false', group: 'sync', summary: 'Fail, instead of warn, when a file cannot be read.' }),
}
