import { Button, Checkbox, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '../api/http.ts';
import { keys } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import type { ListedBackup } from '../restore/choice.ts';
import { backupTexts as words } from './backup-texts.ts';

/** Asks before a backup is removed by hand; the last that can be restored needs a word of its own. */
export function RemoveBackup(props: {
  readonly cluster: string;
  readonly backup: ListedBackup;
  /** No other one is as it was written. */
  readonly isLast: boolean;
  readonly onClose: () => void;
}): React.JSX.Element {
  const { cluster, backup, isLast, onClose } = props;
  const { id } = backup;
  const [mayBeLast, setMayBeLast] = useState(false);
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      post<undefined>(
        `/api/v1/clusters/${encodeURIComponent(cluster)}/backups/${encodeURIComponent(id)}/removal`,
        { confirm: id, mayBeLast },
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [...keys.cluster(cluster), 'backups'] });
      onClose();
    },
  });
  return (
    <Modal variant="medium" isOpen onClose={onClose} aria-labelledby="remove-backup-title">
      <ModalHeader title={words.removal.title(id)} titleIconVariant="warning" labelId="remove-backup-title" />
      <ModalBody>
        <ProblemView error={remove.error} />
        <p>{words.removal.body(backup.place)}</p>
        {isLast ? (
          <Checkbox
            id="remove-last-backup"
            label={words.removal.last}
            isChecked={mayBeLast}
            onChange={(_event, isChecked) => setMayBeLast(isChecked)}
          />
        ) : undefined}
      </ModalBody>
      <ModalFooter>
        <Button
          variant="danger"
          isDisabled={remove.isPending || (isLast && !mayBeLast)}
          isLoading={remove.isPending}
          onClick={() => remove.mutate()}
        >
          {words.removal.action}
        </Button>
        <Button variant="link" onClick={onClose}>
          {words.removal.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
