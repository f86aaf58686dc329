import { isPrimary, type Resource } from '../../lib/host/drbd/state.ts';
import { type DataQuality, dataQuality } from './data.ts';

/** The four values of adjust_master_score. */
export type Scores = {
  readonly consistent: number;
  readonly peerHasData: number;
  readonly peerUnknown: number;
  readonly good: number;
};

/** `none`: delete it. `unchanged`: what will become of a disk is not known yet. */
export type Score = number | 'none' | 'unchanged';

/** `0 10 1000 10000`: four whole numbers, none smaller than the one before; `undefined` otherwise. */
export function parseScores(text: string): Scores | undefined {
  const words = text.trim().split(/\s+/);
  if (words.length !== 4 || !words.every((word) => /^\d{1,7}$/.test(word))) return undefined;
  const [consistent = 0, peerHasData = 0, peerUnknown = 0, good = 0] = words.map(Number);
  const rising = consistent <= peerHasData && peerHasData <= peerUnknown && peerUnknown <= good;
  return rising ? { consistent, peerHasData, peerUnknown, good } : undefined;
}

/**
 * How well this node could be promoted. Zero and below mean "never", which Pacemaker is told by deleting the score.
 * `keepPromoted`: a Primary does not lose its score for a volume that is being added and good nowhere yet.
 */
export function scoreFor(resource: Resource, scores: Scores, keepPromoted: boolean): Score {
  const data = dataQuality(resource);
  const usable = data.quorum && !data.forceIoFailures;
  if (keepPromoted && data.primary && usable && data.onlyNewVolumesLack) return scores.good;
  const score = judge(data, scores);
  return typeof score === 'number' && score <= 0 ? 'none' : score;
}

function judge(data: DataQuality, scores: Scores): Score {
  if (!data.quorum || data.forceIoFailures) return 'none';
  if (data.disklessClient) {
    if (data.everyPeerHasAll || (data.primary && data.somePeerHasAll)) return scores.good - 1;
    return data.somePeerHasAll ? scores.peerUnknown - 1 : 'none';
  }
  if (data.allUpToDateHere) return data.primary || !data.somePeerUnknown ? scores.good : scores.peerUnknown;
  if (data.somePeerHasAll) return scores.peerHasData;
  if (data.changing) return 'unchanged';
  return data.allConsistentHere ? scores.consistent : 'none';
}

/** A peer is Primary with all data: the case that remove_master_score_if_peer_primary is about. */
export function peerIsPrimaryWithData(resource: Resource): boolean {
  const { somePeerPrimary, somePeerHasAll } = dataQuality(resource);
  return !isPrimary(resource) && somePeerPrimary && somePeerHasAll;
}

/** The case that unfence_if_all_uptodate is about. */
export function isPrimaryAndAllUpToDate(resource: Resource): boolean {
  const { quorum, disklessClient, allUpToDateHere, everyPeerHasAll } = dataQuality(resource);
  return isPrimary(resource) && quorum && !disklessClient && allUpToDateHere && everyPeerHasAll;
}
