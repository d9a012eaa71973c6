import type { ProblemReport } from '../problem/problem-view.tsx';

/** What the editor shows and reports. */
export interface YamlEditorProps {
  readonly text: string;
  readonly problems: readonly ProblemReport[];
  readonly label: string;
  /** Absent = to be read only. */
  readonly onChange?: (text: string) => void;
}
