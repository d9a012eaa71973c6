import { Button } from '@patternfly/react-core';
import { DownloadIcon } from '@patternfly/react-icons';
import type { ClusterDetail } from '../../../../daemon/api/types.ts';
import { saveFile } from '../answer-file/save-file.ts';
import { YamlEditor } from '../editor/yaml-editor.tsx';
import { texts } from './texts.ts';

/** The answer file as it was applied last. */
export function YamlTab({ cluster }: { readonly cluster: ClusterDetail }): React.JSX.Element {
  return (
    <>
      <div className="remuda-page-head">
        <p className="remuda-subtle">{texts.yaml.desired}</p>
        <Button
          variant="secondary"
          icon={<DownloadIcon />}
          onClick={() => saveFile(`${cluster.name}.yaml`, cluster.text)}
        >
          {texts.yaml.download}
        </Button>
      </div>
      <div className="remuda-yaml-frame">
        <YamlEditor text={cluster.text} problems={noProblems} label={texts.yaml.desired} />
      </div>
    </>
  );
}

const noProblems = [] as const;
