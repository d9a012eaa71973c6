import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** Codes about what belongs together (040 to 069), about references (070 to 089), and about what is not built (090 on). */
export const ruleCodes: ProblemCatalogue = {
  'SPEC-040': {
    title: 'Version not supported',
    explanation: 'This version of Remuda cannot install that minor version of Kubernetes.',
    remedy: 'Choose one of the versions the message lists.',
  },
  'SPEC-041': {
    title: 'Even number of masters',
    explanation:
      'etcd needs a majority. An even number of masters costs a machine and survives no more failures.',
    remedy: 'Use 1, 3, 5 or 7.',
  },
  'SPEC-042': {
    title: 'Name of worker group taken',
    explanation: 'Two groups share a name, or a group has the name of the masters.',
    remedy: 'Give each group its own name.',
  },
  'SPEC-043': {
    title: 'Name too long',
    explanation:
      'Machine names are made from the names of cluster and group, and a host name has at most 63 characters.',
    remedy: 'Use shorter names.',
  },
  'SPEC-044': {
    title: 'Networks overlap',
    explanation:
      'Pods, Services, machines and load balancer addresses must be apart, or packets reach the wrong end.',
    remedy: 'Choose networks that share no address.',
  },
  'SPEC-045': {
    title: 'Pod network too small',
    explanation: 'Every machine takes a /24 for its pods; more machines exist while some are replaced.',
    remedy: 'Choose a shorter prefix.',
  },
  'SPEC-046': {
    title: 'Service network of the wrong size',
    explanation:
      'The API server takes no service network larger than a /12, and one smaller than a /24 runs out.',
    remedy: 'Choose a prefix from /12 to /24.',
  },
  'SPEC-047': {
    title: 'Too few machine addresses',
    explanation: 'The ranges must hold all machines, and those that exist besides while some are replaced.',
    remedy: 'Add addresses.',
  },
  'SPEC-048': {
    title: 'API address inside a pool',
    explanation: 'A machine or a Service would be given the address of the Kubernetes API.',
    remedy: 'Choose an address outside the range.',
  },
  'SPEC-049': {
    title: 'Server address inside a pool',
    explanation: 'A machine or a Service would be given the address of the gateway or of a server.',
    remedy: 'Make the range smaller.',
  },
  'SPEC-050': {
    title: 'Address outside the network',
    explanation:
      'Machines, gateway and API address stand in one network; its first and last address are not for use.',
    remedy: 'Choose an address inside the network.',
  },
  'SPEC-051': {
    title: 'Addresses used twice',
    explanation: 'Two ranges, or two clusters on one provider, would use the same addresses.',
    remedy: 'Give every address one use.',
  },
  'SPEC-052': {
    title: 'Machine size unclear',
    explanation: 'A machine is sized automatically, or by cpus and memory, not by half of both.',
    remedy: 'Write size: auto, or both cpus and memory.',
  },
  'SPEC-053': {
    title: 'Master too small',
    explanation: 'kubeadm refuses a master with fewer than 2 CPUs.',
    remedy: 'Write at least 2.',
  },
  'SPEC-054': {
    title: 'Label or taint refused',
    explanation: 'Kubernetes sets this label itself, or the taint is there already.',
    remedy: 'Remove it.',
  },
  'SPEC-055': {
    title: 'Address of two things',
    explanation: 'The API address is the gateway as well.',
    remedy: 'Choose an address nobody uses.',
  },
  'SPEC-056': {
    title: 'Upgrade cannot move',
    explanation: 'Replacing a machine needs one more or one fewer for a while.',
    remedy: 'Allow a surge or an unavailable machine.',
  },
  'SPEC-057': {
    title: 'Empty maintenance window',
    explanation: 'The window closes when it opens.',
    remedy: 'Write a later time.',
  },
  'SPEC-058': {
    title: 'Unknown time zone',
    explanation: 'The time zone is not in the IANA database.',
    remedy: 'Write a name such as Europe/Berlin.',
  },
  'SPEC-059': {
    title: 'Provider section missing or foreign',
    explanation: 'A provider has exactly the section of its type.',
    remedy: 'Add the section, or remove the foreign one.',
  },
  'SPEC-068': {
    title: 'Even number of members of etcd',
    explanation:
      'etcd needs a majority. An even number of members costs a machine and survives no more failures.',
    remedy: 'Use 1, 3, 5 or 7.',
  },
  'SPEC-060': {
    title: 'Lab subnet unusable',
    explanation: 'The lab needs a private network of at least 256 addresses.',
    remedy: 'Choose a network such as 10.77.0.0/24.',
  },
  'SPEC-061': {
    title: 'Host listed twice',
    explanation: 'One machine cannot be two.',
    remedy: 'Keep one entry.',
  },
  'SPEC-062': {
    title: 'Too few hosts',
    explanation: 'The cluster asks for more machines of a role than the provider lists.',
    remedy: 'Add hosts, or ask for fewer machines.',
  },
  'SPEC-063': {
    title: 'Node network missing',
    explanation: 'With this provider nobody else chooses the addresses of machines.',
    remedy: 'Add nodeNetwork.',
  },
  'SPEC-064': {
    title: 'API address missing',
    explanation: 'With this provider nobody else chooses the address of the Kubernetes API.',
    remedy: 'Add controlPlane.endpoint.host.',
  },
  'SPEC-065': {
    title: 'Credentials in a URL',
    explanation: 'URLs are printed and logged; a password in one does not stay secret.',
    remedy: 'Remove the credentials from the URL.',
  },
  'SPEC-066': {
    title: 'API name in the lab',
    explanation: 'The lab has no DNS server that could know the name.',
    remedy: 'Write an address, or leave the field out.',
  },
  'SPEC-067': {
    title: 'More Ready machines than there are',
    explanation: 'minimumReady counts the machines of one worker group, and no group has so many.',
    remedy: 'Write a share such as 80%, or a smaller number.',
  },
  'SPEC-070': {
    title: 'Provider unknown',
    explanation: 'The cluster names a provider that is neither in the file nor in the store.',
    remedy: 'Correct the name, or add the provider.',
  },
  'SPEC-071': {
    title: 'Secret unknown',
    explanation: 'A field names a secret that is neither in the file nor in the store.',
    remedy: 'Correct the name, or give the secret.',
  },
  'SPEC-072': {
    title: 'Secret not referred to',
    explanation: 'A secret stands in the file itself, or its source is none or more than one.',
    remedy: 'Write one of {secretRef: name}, {fromEnv: NAME} or {fromFile: path}.',
  },
  'SPEC-073': {
    title: 'Source left to the server',
    explanation: 'Environment and files belong to whoever runs the command line; the server reads neither.',
    remedy: 'Apply with the command line, or write {secretRef: name}.',
  },
  'SPEC-074': {
    title: 'Environment variable missing',
    explanation: 'The variable a secret should come from is not set, or is empty.',
    remedy: 'Set the variable.',
  },
  'SPEC-075': {
    title: 'Secret file unreadable',
    explanation: 'The file a secret should come from is not there, cannot be read, or is empty.',
    remedy: 'Correct the path or the permissions.',
  },
  'SPEC-076': {
    title: 'Secret of another destination',
    explanation:
      'A secret is bound to the server it was given for, so that a changed file cannot send it elsewhere.',
    remedy: 'Give the secret anew for this server.',
  },
  'SPEC-077': {
    title: 'Secret for two servers',
    explanation: 'One secret would be sent to two servers.',
    remedy: 'Use one secret for each.',
  },
  'SPEC-078': { title: 'Empty secret', explanation: 'The secret has no value.', remedy: 'Give the value.' },
  'SPEC-090': {
    title: 'Not built yet',
    explanation:
      'The field belongs to the design and is checked, but this version of Remuda cannot act on it. It is refused, not ignored.',
    remedy: 'Leave the field out for now.',
  },
  'SPEC-098': {
    title: 'IPv6',
    explanation: 'This version of Remuda builds IPv4 clusters only.',
    remedy: 'Use IPv4.',
  },
  'SPEC-080': {
    title: 'Not a pattern of names',
    explanation: 'A policy speaks of clusters by their names; `*` stands for any letters.',
    remedy: 'Write a name or a pattern such as prod-*.',
  },
  'SPEC-081': {
    title: 'A CEL expression that cannot be used',
    explanation:
      'It cannot be read, names something that is not there, is too long, or does not give what is needed: true or false for `expression`, text for `messageExpression`.',
    remedy: 'Use `object`, `oldObject` and `request.principal`; try it with `remuda policy test`.',
  },
  'SPEC-110': {
    title: 'A hook that cannot run as it is written',
    explanation:
      'Each hook has a name of its own, runs in one way, selects machines that there are at a point that is about machines, and takes two hours at most.',
    remedy: 'Correct the field that the message names.',
  },
  'SPEC-111': {
    title: 'A script that is no text',
    explanation:
      'Scripts are shown in the plan to whoever agrees to it: they are not empty, not longer than 16384 characters, and hold no control characters.',
    remedy: 'Shorten it, or call a program that is on the machine already.',
  },
  'SPEC-112': {
    title: 'Not the address of a webhook',
    explanation: 'Webhooks are https://host/path, without a user or a password, which would be shown.',
    remedy: 'Correct the address.',
  },
  'SPEC-114': {
    title: 'One value where several are needed',
    explanation:
      'An S3 account is two values, accessKeyId and secretAccessKey. An environment variable or a file gives only one.',
    remedy: 'Put both into a document of kind Secret in the same file, and name it with secretRef.',
  },
  'SPEC-113': {
    title: 'An authority that is described wrongly',
    explanation:
      'The type of the authority decides which section describes it: given or server; authorities that sign themselves need none. A server is given by https, host and port, without a user; its engine by the path under which it is mounted.',
    remedy: 'Add the section of that name, change the type, or correct the path.',
  },
  'SPEC-079': {
    title: 'A backup destination and its section',
    explanation:
      'The type of the destination decides which section describes it: path, ssh or s3. The state disk needs none.',
    remedy: 'Add the section of that name, or change the type.',
  },
};
