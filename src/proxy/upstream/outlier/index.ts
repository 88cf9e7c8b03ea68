// Passive health checking and circuit breaking: pure state, driven by the runtime.
export { compileOutlier, type EjectionReason, type OutlierConfig } from '../../plan/cluster/outlier-plan.ts';
export { OutlierDetector, type OutlierEvent, type OutlierVerdict } from './detector.ts';
