import { Checkbox, Form, FormGroup, FormSelect, FormSelectOption, Radio } from '@patternfly/react-core';
import type { MachineView } from '../../../../daemon/api/types.ts';
import { fullTime } from '../time/time.tsx';
import type { ListedBackup, RestoreChoice } from './choice.ts';
import { restoreTexts as words } from './restore-texts.ts';

interface Props {
  readonly choice: RestoreChoice;
  readonly backups: readonly ListedBackup[];
  /** Masters, and machines of etcd where it stands apart. */
  readonly machines: readonly MachineView[];
  readonly onChange: (choice: RestoreChoice) => void;
}

/** Which data a cluster goes back to, and who of its machines is given up. */
export function ChoiceForm(props: Props): React.JSX.Element {
  const { choice, onChange } = props;
  return (
    <Form onSubmit={(event) => event.preventDefault()}>
      <FormGroup label={words.source} role="radiogroup" fieldId="restore-source" isStack>
        <Radio
          id="restore-backup"
          name="restore-source"
          label={words.backup.title}
          description={words.backup.help}
          isChecked={choice.from === 'backup'}
          onChange={() => onChange({ ...choice, from: 'backup' })}
          {...(choice.from === 'backup' ? { body: <BackupChoice {...props} /> } : {})}
        />
        <Radio
          id="restore-survivor"
          name="restore-source"
          label={words.survivor.title}
          description={words.survivor.help}
          isChecked={choice.from === 'survivor'}
          onChange={() => onChange({ ...choice, from: 'survivor' })}
          {...(choice.from === 'survivor' ? { body: <SurvivorChoice {...props} /> } : {})}
        />
      </FormGroup>
      <LostMachines {...props} />
    </Form>
  );
}

const labelOf = ({ id, at, kubernetesVersion, place }: ListedBackup): string =>
  `${fullTime(at)} · ${kubernetesVersion} · ${place} · ${id}`;

function BackupChoice({ choice, backups, onChange }: Props): React.JSX.Element {
  if (backups.length === 0) return <p>{words.backup.none}</p>;
  const chosen = backups.find(({ id }) => id === choice.backup);
  return (
    <>
      <FormSelect
        id="restore-which"
        aria-label={words.backup.label}
        value={choice.backup}
        onChange={(_event, backup) => onChange({ ...choice, backup, acceptsUnknown: false })}
      >
        {backups.map((backup) => (
          <FormSelectOption key={`${backup.place} ${backup.id}`} value={backup.id} label={labelOf(backup)} />
        ))}
      </FormSelect>
      {chosen?.standing === 'unknown' ? (
        <Checkbox
          id="restore-accept"
          className="remuda-restore-accept"
          label={words.backup.accept}
          description={words.backup.acceptHelp}
          isChecked={choice.acceptsUnknown}
          onChange={(_event, acceptsUnknown) => onChange({ ...choice, acceptsUnknown })}
        />
      ) : undefined}
    </>
  );
}

function SurvivorChoice({ choice, machines, onChange }: Props): React.JSX.Element {
  return (
    <FormSelect
      aria-label={words.survivor.label}
      value={choice.survivor}
      onChange={(_event, survivor) =>
        onChange({ ...choice, survivor, lost: choice.lost.filter((name) => name !== survivor) })
      }
    >
      <FormSelectOption value="" label={words.survivor.find} />
      {holdersOf(machines).map(({ name }) => (
        <FormSelectOption key={name} value={name} label={name} />
      ))}
    </FormSelect>
  );
}

/** Those with a member of etcd: its own machines where it stands apart, else the masters. */
function holdersOf(machines: readonly MachineView[]): readonly MachineView[] {
  const etcd = machines.filter(({ role }) => role === 'etcd');
  return etcd.length > 0 ? etcd : machines;
}

const seenAs = ({ role, state, node, notReadyBecause }: MachineView): string => {
  if (role === 'etcd') return `etcd, last seen ${state}`;
  const nodes = {
    Ready: 'Node ready',
    NotReady: 'Node not ready',
    absent: 'no Node',
    unseen: 'Node not seen',
    none: 'no Node',
  };
  const why = notReadyBecause === undefined ? '' : `: ${notReadyBecause}`;
  return `last seen ${state}, ${nodes[node]}${why}`;
};

function LostMachines({ choice, machines, onChange }: Props): React.JSX.Element {
  const { lost, from, survivor } = choice;
  return (
    <FormGroup label={words.lost.title} role="group" fieldId="restore-lost" isStack>
      <p className="remuda-subtle">{words.lost.help}</p>
      {machines.length === 0 ? <p>{words.lost.none}</p> : undefined}
      {machines.map((machine) => (
        <Checkbox
          key={machine.name}
          id={`restore-lost-${machine.name}`}
          label={machine.name}
          description={seenAs(machine)}
          isDisabled={from === 'survivor' && survivor === machine.name}
          isChecked={lost.includes(machine.name)}
          onChange={(_event, isLost) =>
            onChange({
              ...choice,
              lost: isLost ? [...lost, machine.name] : lost.filter((name) => name !== machine.name),
            })
          }
        />
      ))}
    </FormGroup>
  );
}
