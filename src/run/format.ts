import { dump } from 'js-yaml'

/** An object as kubectl prints it with `-o`. */
export function formatObject(object: object, format: 'yaml' | 'json' = 'yaml'): string {
  return format === 'json' ? `${JSON.stringify(object, null, 4)}\n` : dump(object, { lineWidth: -1, noRefs: true })
}
