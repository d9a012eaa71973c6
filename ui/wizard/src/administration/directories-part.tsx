import { Alert, Button } from '@patternfly/react-core';
import { AddressBookIcon } from '@patternfly/react-icons';
import { Td, Tr } from '@patternfly/react-table';
import { useMutation } from '@tanstack/react-query';
import type { DirectoryCheck, DirectoryView } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { ProblemReportView, ProblemView } from '../problem/problem-view.tsx';
import { principalName } from '../session/principal-name.ts';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Time } from '../time/time.tsx';
import { CommandPart } from './command-part.tsx';
import { useDirectories } from './queries.ts';
import { directoryTexts as words, texts } from './texts.ts';

const { columns } = words;

/** Directories as they were set, and whether they answer. Their settings are a file's. */
export function DirectoriesPart(): React.JSX.Element {
  const { data, error } = useDirectories();
  return (
    <CommandPart words={words} icon={AddressBookIcon} items={data} error={error}>
      {(directories) => <Directories directories={directories} />}
    </CommandPart>
  );
}

function Directories({ directories }: { readonly directories: readonly DirectoryView[] }): React.JSX.Element {
  const test = useMutation({
    mutationFn: ({ name }: DirectoryView) =>
      post<DirectoryCheck>(`/api/v1/directories/${encodeURIComponent(name)}/test`, {}),
  });
  const tested = test.variables;
  return (
    <>
      <div aria-live="polite" className="remuda-check-result">
        <ProblemView error={test.error} />
        {tested === undefined || test.data === undefined ? undefined : (
          <Check title={tested.settings.title} check={test.data} />
        )}
      </div>
      <HeadedTable
        name={{ label: texts.parts.directories }}
        columns={columns}
        actions={words.test}
        isCompact={false}
      >
        {directories.map((directory) => (
          <Row
            key={directory.name}
            directory={directory}
            isBusy={test.isPending}
            isTested={test.isPending && tested?.name === directory.name}
            onTest={() => test.mutate(directory)}
          />
        ))}
      </HeadedTable>
    </>
  );
}

function Row(props: {
  readonly directory: DirectoryView;
  readonly isBusy: boolean;
  readonly isTested: boolean;
  readonly onTest: () => void;
}): React.JSX.Element {
  const { name, settings, principal, updatedAt } = props.directory;
  const { title, type, server, roles, admit } = settings;
  return (
    <Tr>
      <Td dataLabel={columns.title}>
        <span className="remuda-name">{title}</span>
        <div className="remuda-subtle">{name}</div>
      </Td>
      <Td dataLabel={columns.server}>
        {server}
        <div className="remuda-subtle">{words.kinds[type]}</div>
      </Td>
      <Td dataLabel={columns.roles}>
        {roles.length}
        <div className="remuda-subtle">{words.admits[admit]}</div>
      </Td>
      <Td dataLabel={columns.changed}>
        <Time at={updatedAt} />
        <div className="remuda-subtle">
          {words.by} {principalName(principal)}
        </div>
      </Td>
      <Td isActionCell>
        <Button
          variant="secondary"
          size="sm"
          onClick={props.onTest}
          isDisabled={props.isBusy}
          isLoading={props.isTested}
          aria-label={words.testOf(title)}
        >
          {words.test}
        </Button>
      </Td>
    </Tr>
  );
}

function Check(props: { readonly title: string; readonly check: DirectoryCheck }): React.JSX.Element {
  const { title, check } = props;
  return check.problem === undefined ? (
    <Alert component="p" isInline variant="success" title={words.works(title)} />
  ) : (
    <ProblemReportView report={check.problem} />
  );
}
