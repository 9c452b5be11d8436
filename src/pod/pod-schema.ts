/** What a strategic merge must know of an object's fields: which lists are merged, and by which key. */
export interface PatchSchema {
  readonly [field: string]: PatchField
}

export interface PatchField {
  /** Set on a list of objects that is merged: the field that tells which object is which. */
  readonly key?: string
  /** Set on a list of plain values that is merged. */
  readonly union?: true
  /** Of the object, or of the list's objects. */
  readonly fields?: PatchSchema
}

const container: PatchField = {
  key: 'name',
  fields: {
    ports: { key: 'containerPort' },
    env: { key: 'name' },
    volumeMounts: { key: 'mountPath' },
    volumeDevices: { key: 'devicePath' },
  },
}

/** The `patchMergeKey`s of a pod in k8s.io/api/core/v1 of Kubernetes 1.35. A list that is not here is replaced. */
export const podSchema: PatchSchema = {
  metadata: { fields: { ownerReferences: { key: 'uid' }, finalizers: { union: true } } },
  spec: {
    fields: {
      containers: container,
      initContainers: container,
      ephemeralContainers: container,
      volumes: { key: 'name' },
      imagePullSecrets: { key: 'name' },
      hostAliases: { key: 'ip' },
      topologySpreadConstraints: { key: 'topologyKey' },
      schedulingGates: { key: 'name' },
      resourceClaims: { key: 'name' },
    },
  },
}
