import type { ProblemCatalogue } from '../../../provisioners/contract/problem.ts';

/** What may go wrong with backups and the places where they are kept. */
export const backupCodes: ProblemCatalogue = {
  'BACKUP-001': {
    title: 'Nothing is mounted where backups go',
    explanation:
      'The folder is there, but no file server is mounted on it: what is written now would lie on the disk of the agent and be gone with it.',
    remedy: 'Mount the file server there; the work goes on by itself.',
  },
  'BACKUP-002': {
    title: 'No folder for backups',
    explanation: 'The path that was given does not exist on the machine of the agent, or is no folder.',
    remedy: 'Make it or mount the file server there; the work goes on by itself.',
  },
  'BACKUP-003': {
    title: 'No room for backups',
    explanation: 'The disk or the quota is full. What was half written was removed.',
    remedy: 'Make room, or let fewer backups be kept; the work goes on by itself.',
  },
  'BACKUP-004': {
    title: 'The folder for backups cannot be used',
    explanation: 'Reading or writing there failed; the message has the code of the operating system.',
    remedy: 'See that the agent may read and write there, and that the disk is well.',
  },
  'BACKUP-005': {
    title: 'A backup reads back otherwise than it was written',
    explanation:
      'Every backup is read back, opened and compared byte for byte before it counts. This one differed; it was removed.',
    remedy: 'It is written again. If that goes on, look at what the backups are kept on.',
  },
  'BACKUP-006': {
    title: 'A backup cannot be opened',
    explanation: 'It was encrypted to other keys than the one at hand, or was changed since.',
    remedy: 'Open it with the recovery key, or take another backup.',
  },
  'BACKUP-007': {
    title: 'The keys of the cluster did not come with the work',
    explanation:
      'A backup holds the sealed keys of the cluster, because a lost majority is restored with the same authorities. They were missing.',
    remedy: 'Plan the operation again; if it happens again, please report it.',
  },
  'BACKUP-008': {
    title: 'No such backup',
    explanation:
      'At that destination there is no finished backup of this cluster with the id that was given.',
    remedy: 'Choose one of `remuda backup list`.',
  },
  'BACKUP-009': {
    title: 'A backup is not the file that was kept',
    explanation:
      'Its SHA-256 is another than the one that was written down when the backup was made, or the snapshot in it is another. Somebody changed it, or the disk did. Nothing of it is used.',
    remedy: 'Do not trust what it lies on; choose another backup.',
  },
  'BACKUP-010': {
    title: 'The SSH server for backups cannot be reached',
    explanation: 'Nobody answers at the address, or the line was lost.',
    remedy: 'Check address, port and network between the agent and it; it is tried again.',
  },
  'BACKUP-011': {
    title: 'The SSH server for backups shows another host key',
    explanation: 'It is not one of the keys that were given. Nothing was sent to it.',
    remedy: 'Find out why; if the key was changed on purpose, give the new one.',
  },
  'BACKUP-012': {
    title: 'The SSH server for backups lets nobody in',
    explanation: 'It does not accept the private key that was given, for this user.',
    remedy: 'Put the public half into the authorized keys of the user there, or give the right key.',
  },
  'BACKUP-013': {
    title: 'The SSH server refuses to keep or give files',
    explanation: 'The folder is not there, the user may not write in it, or there is no room.',
    remedy: 'See to the folder, the rights of the user and the room there; the work goes on by itself.',
  },
  'BACKUP-014': {
    title: 'Keys for the SSH server cannot be read',
    explanation:
      'The private key in the secret, or a host key in the answer file, is not in a form that can be read. A private key with a passphrase cannot be used either: nobody is there to type it.',
    remedy: 'Give the whole private key in OpenSSH form, and host keys of the form ssh-ed25519 AAAA….',
  },
  'BACKUP-020': {
    title: 'The S3 server refuses the account',
    explanation:
      'Key or signature are not accepted, or the account may not list, read, write and delete below the prefix. A clock that is wrong by minutes spoils signatures, too.',
    remedy:
      'Give the account these rights, give its key anew with `remuda secret set`, and check the clocks.',
  },
  'BACKUP-021': {
    title: 'The S3 server cannot do it now',
    explanation: 'It is busy or broken; the message has its status.',
    remedy: 'Nothing is to be done: it is tried again.',
  },
  'BACKUP-022': {
    title: 'The S3 server does not do what is asked',
    explanation:
      'There is no such bucket, or it is in another region; redirections are not followed, because a backup goes where it was sent and nowhere else.',
    remedy: 'Check endpoint, region and name of the bucket.',
  },
  'RESTORE-001': {
    title: 'The former data was not set aside',
    explanation: "Etcd's data is made anew only where the former was moved aside for that very restore.",
    remedy: 'Plan the restore again; if it happens again, report it.',
  },
  'RESTORE-002': {
    title: 'etcd still runs',
    explanation: 'Data that a process has open is not moved: it would go on writing into it.',
    remedy: 'See why etcd does not end on that machine; the restore goes on by itself when it has.',
  },
  'RESTORE-003': {
    title: "etcd's tool says nothing of the snapshot",
    explanation:
      'A snapshot is used only when etcdutl, or etcdctl before etcd 3.6, has looked at it. It printed nothing that can be read.',
    remedy: 'Nothing is to be done: it is tried again. If it stays so, run the tool on that machine by hand.',
  },
};
