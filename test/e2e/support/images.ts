import type { TestContext } from 'node:test'
import { full } from '../../support/full.ts'
import { kubectl, type Place } from './place.ts'
import { onSandbox } from './programs.ts'
import { lackOf } from './sandbox-images.ts'
import { until } from './wait.ts'

/** Images beside the default one; a cluster that cannot pull one of them skips its tests. */
export const images = {
  /** GNU userland. */
  debian: process.env['KUBERUN_TEST_IMAGE_DEBIAN'] ?? 'debian:stable',
  /** Runs as uid 1000. */
  nonroot: process.env['KUBERUN_TEST_IMAGE_NONROOT'] ?? 'nonroot:1',
  /** No shell: only `/app`, which prints its arguments, and knows `cat`, `exit N`, `sleep S`. */
  static: process.env['KUBERUN_TEST_IMAGE_STATIC'] ?? 'static:1',
  /** Has make. */
  build: process.env['KUBERUN_TEST_IMAGE_BUILD'] ?? 'build:1',
} as const

const known = new Map<string, Promise<boolean>>()

/** Whether the cluster has the image; skips the test where it has not. */
export async function has(context: TestContext, place: Place, image: string): Promise<boolean> {
  if (onSandbox) {
    // Its images are made of programs of this machine.
    const lack = await lackOf(image)
    if (lack !== undefined) context.skip(lack)
    return lack === undefined
  }
  const found = known.get(image) ?? canPull(place, image)
  known.set(image, found)
  if (await found) return true
  // A foreign cluster has none of the images that scripts/cluster makes.
  context.skip(`this cluster cannot pull the image "${image}"`)
  return false
}

async function canPull({ namespace }: Place, image: string): Promise<boolean> {
  const name = `probe-${image.replaceAll(/[^a-z0-9]+/g, '-')}`
  await kubectl(`run ${name} -n ${namespace} --image ${image} --restart=Never --command -- /bin/true`)
  const form = '{.status.containerStatuses[0].imageID} {.status.containerStatuses[0].state.waiting.reason}'
  try {
    return await until(
      `image "${image}"`,
      async () => {
        const [id, reason = ''] = (await kubectl(`get pod ${name} -n ${namespace} -o jsonpath='${form}'`)).split(' ')
        if (/ErrImage|ImagePull|InvalidImage/.test(reason)) return { pulled: false }
        return id ? { pulled: true } : undefined
      },
      { within: 90_000 },
    ).then(({ pulled }) => pulled)
  } finally {
    await kubectl(`delete pod ${name} -n ${namespace} --force --ignore-not-found 2>/dev/null`)
  }
}

/** One with BusyBox's tools and one with GNU's; on a sandbox one is enough, as test/sync has every script with both. */
export const toolImages = onSandbox && !full ? [images.debian] : ['alpine:3.20', images.debian]
