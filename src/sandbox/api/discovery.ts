import { type Resource, resources } from '../cluster/resources.ts'

/** What the server says of itself, by path; undefined for a path that is none of these. */
export function discovery(pathname: string): object | undefined {
  const path = pathname.replace(/\/$/, '')
  if (path === '/version') return version
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(group) }
  if (path === '/api/v1') return resourceList('', 'v1')
  const name = groups.find((each) => path.startsWith(`/apis/${each}`))
  if (name === undefined) return undefined
  if (path === `/apis/${name}`) return { kind: 'APIGroup', apiVersion: 'v1', ...group(name) }
  return path === `/apis/${name}/v1` ? resourceList(name, `${name}/v1`) : undefined
}

const version = {
  major: '1',
  minor: '35',
  gitVersion: 'v1.35.0-kuberun-sandbox',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
}

const groups = [...new Set(resources.map((resource) => resource.group))].filter((name) => name !== '')

function group(name: string): object {
  const only = { groupVersion: `${name}/v1`, version: 'v1' }
  return { name, versions: [only], preferredVersion: only }
}

function resourceList(name: string, groupVersion: string): object {
  const found = resources.filter((resource) => resource.group === name)
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: found.flatMap(entries) }
}

function entries(resource: Resource): object[] {
  const { plural, kind, namespaced, shortNames, categories, verbs, subresources = {} } = resource
  const main = { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs }
  return [
    { ...main, ...(shortNames && { shortNames }), ...(categories && { categories }) },
    ...Object.entries(subresources).map(([sub, subVerbs]) => {
      return { name: `${plural}/${sub}`, singularName: '', namespaced, kind, verbs: subVerbs }
    }),
  ]
}
