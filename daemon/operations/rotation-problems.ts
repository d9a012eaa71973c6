import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { RotationStage } from '../../provisioners/contract/secrets.ts';

/** Problems of rotations of authorities. */
export const rotationProblems = {
  leftBehind: (cluster: string, stage: RotationStage, left: readonly string[]): ProblemReport => ({
    kind: 'blocked',
    code: 'CERT-013',
    summary: `The authorities of ${cluster} cannot ${stage} yet: ${left.join('; ')}`,
    remedy:
      stage === 'reissue'
        ? `Start those pods anew (kubectl rollout restart). Where machines are named, run remuda certificates rotate ${cluster} --stage trust once more. Then ask again.`
        : `Run remuda certificates rotate ${cluster} --stage reissue once more, bring back who is away, then ask again.`,
  }),
  credentialsLeft: (cluster: string, until: string): ProblemReport => ({
    kind: 'blocked',
    code: 'CERT-014',
    summary: `People hold certificates for ${cluster} that the old authority has signed, until ${until}`,
    remedy: `Ask again after ${until}. Where they must end at once: --end-credentials; then people fetch a kubeconfig anew.`,
  }),
} as const;
