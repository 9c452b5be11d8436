import { many, one, toggle } from './flag-kinds.ts'
import { oneOf } from './values/choice.ts'
import { readDuration } from './values/duration.ts'
import { readPattern } from './values/pattern.ts'

/** The flags of what comes back from the pod, and when. */
export const backFlags = {
  return: many(readPattern, {
    value: 'PATTERN',
    group: 'back',
    summary: 'Take back what matches this line of a .gitignore, although it is ignored or excluded. Repeatable.',
  }),
  'on-conflict': one(oneOf('keep-both', 'local', 'remote', 'fail'), {
    value: 'POLICY',
    default: 'keep-both',
    group: 'back',
    summary: 'What becomes of a file that changed here and there: keep-both, local, remote or fail.',
  }),
  'allow-mass-delete': toggle({
    default: 'false',
    group: 'back',
    summary: 'Delete here what the command deleted, even if it is more than half of ten or more files.',
  }),
  'return-interval': one(readDuration, {
    value: 'TIME',
    default: '1s',
    group: 'back',
    summary: 'How often to look for changes while the command runs; 100ms at least.',
  }),
}
