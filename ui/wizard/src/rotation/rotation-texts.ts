/** English of the rotation of a cluster's authorities. */
export const rotationTexts = {
  title: (cluster: string) => `Rotate the authorities of ${cluster}`,
  breadcrumb: 'Rotation',
  what: 'An authority is whose signature everybody in the cluster believes: API servers, kubelets, etcd, people. Exchange it when a key of it may have been seen by somebody, when people have left who could read it, or before its ten years are over. It goes in three stages, so that nobody is ever without somebody to believe; days may lie between them.',
  at: {
    none: 'One authority is believed, and it signs. No rotation is under way.',
    trust: 'Two authorities are believed, and the old one signs, since',
    reissue: 'The new authority signs, and the old one is believed still, since',
    drop: 'The old authority is no longer among the keys; not everybody has forgotten it yet.',
  },
  stages: 'Stages',
  names: { trust: 'Believe both', reissue: 'Sign anew', drop: 'Forget the old one' },
  /** As the command has it, for whoever reads a log. */
  commands: { trust: 'stage trust', reissue: 'stage reissue', drop: 'stage drop' },
  changes: {
    trust:
      'A new authority is drawn. Every machine, kubelet and kubeconfig of the cluster believes it beside the old one, which goes on signing.',
    reissue:
      'The new authority signs: every certificate of masters and kubelets is made anew. The old one is believed still, so that nobody is turned away meanwhile.',
    drop: 'Only the new authority is believed from then on, and the old one is forgotten. There is no way back.',
  },
  peopleTitle: 'What you do before the next stage',
  people: {
    trust:
      'Start pods of yours anew that speak to the Kubernetes API (kubectl rollout restart), and fetch kubeconfigs anew.',
    reissue:
      'Fetch kubeconfigs that were not fetched since the first stage. Give the new ca.crt to programs outside of the cluster that keep a copy.',
    drop: '',
  },
  standings: {
    over: 'Over',
    next: 'Comes next',
    unfinished: 'Begun, not finished',
    later: 'Not possible yet',
  },
  waitsFor: (stage: string) => `“${stage}” comes first.`,
  nextTitle: (stage: string) => `Next: ${stage}`,
  again: 'Begin it again to go on: what is done already is left alone.',
  needed: 'Rotating needs the role operator. An administrator can give it to you.',
  busy: 'A stage can begin when this is over:',
  planning: 'Looking at the machines, and for whoever would be left behind…',
  look: 'Look again',
  blocked: 'This stage is not possible yet',
  would: 'What it would do',
  plan: 'What is done',
  nothing: 'The cluster is past this stage already.',
  begin: {
    trust: 'Believe a new authority, too',
    reissue: 'Let the new authority sign',
    drop: 'Forget the old authority',
  },
  ends: {
    label: 'End people’s certificates at once, instead of waiting for their end',
    help: 'What people were given under the old authority lives for an hour at most. After a leak nobody waits for that: they fetch a kubeconfig anew.',
  },
  back: 'Back to the certificates',
  panel: {
    title: 'Authorities',
    unfinished: 'This stage is not finished.',
    open: { none: 'Rotate the authorities…', under: 'Go on with the rotation…' },
  },
} as const;
