import type { V1Container } from '@kubernetes/client-node'

/** Why an image cannot be had, in the kubelet's words. */
export interface ImageProblem {
  reason: 'InvalidImageName' | 'ErrImageNeverPull' | 'ErrImagePull'
  message: string
}

/** Images whose name begins with `missing` are in no registry; all others are there. */
export function imageProblem(
  { image = '', imagePullPolicy }: V1Container,
  pullError = false,
): ImageProblem | undefined {
  const [repository = ''] = image.split(/[:@](?!.*\/)/)
  if (!/^[a-z0-9]+([._/:-]+[a-z0-9]+)*$/.test(repository)) {
    const why = `couldn't parse image name "${image}": invalid reference format: repository name must be lowercase`
    return { reason: 'InvalidImageName', message: `Failed to apply default image tag "${image}": ${why}` }
  }
  const missing = /^(.*\/)?missing/.test(repository)
  if (!missing && !pullError) return undefined
  if (imagePullPolicy === 'Never') {
    const message = `Container image "${image}" is not present with pull policy of Never`
    return { reason: 'ErrImageNeverPull', message }
  }
  const full = fullName(image)
  const cause = missing
    ? `failed to resolve reference "${full}": ${full}: not found`
    : `failed to resolve reference "${full}": failed to do request: dial tcp: i/o timeout`
  const code = missing ? 'NotFound' : 'Unknown'
  return {
    reason: 'ErrImagePull',
    message: `rpc error: code = ${code} desc = failed to pull and unpack image "${full}": ${cause}`,
  }
}

function fullName(image: string): string {
  const tagged = /[:@][^/]*$/.test(image) ? image : `${image}:latest`
  if (!tagged.includes('/')) return `docker.io/library/${tagged}`
  return /^[^/]*[.:]/.test(tagged) || tagged.startsWith('localhost/') ? tagged : `docker.io/${tagged}`
}
