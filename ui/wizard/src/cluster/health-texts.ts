/** English of a cluster's health and drift. */
export const healthTexts = {
  title: 'Health',
  columns: { condition: 'Condition', status: 'State', since: 'Since', message: 'What was found' },
  todo: 'What to do:',
  types: {
    AgentConnected: 'Agent connected',
    MachinesFenced: 'Machines fenced',
    ApiServerHealthy: 'API servers',
    EtcdHealthy: 'etcd',
    NodesReady: 'Nodes',
    CertificatesValid: 'Certificates',
    VersionsAligned: 'Versions',
    DiskSpace: 'Disk space',
  },
  states: { True: 'Well', warning: 'Warning', critical: 'Critical', Unknown: 'Unknown' },
  drift: {
    what: 'Looks at everything that the answer file asks for, machine by machine, and changes nothing.',
    look: 'Look for drift',
    never: 'Nobody has looked since something was done to this cluster.',
    none: (steps: number) => `As asked: ${steps} steps were looked at.`,
    found: (items: number, steps: number) => `${items} of ${steps} steps are not as asked.`,
    gone: (names: string) => `Machines that are gone, and that apply makes again: ${names}`,
    columns: { subject: 'Machine', what: 'What is different', since: 'Seen since', remedy: 'What mends it' },
    states: { different: 'Different', unsettled: 'Under way', unknown: 'Unknown' },
    looked: 'Looked at',
    table: 'What is not as asked',
  },
} as const;
