// Passive health checking: pure state, driven by the runtime.
export { OutlierDetector, type OutlierEvent, type OutlierVerdict } from './detector.ts';
