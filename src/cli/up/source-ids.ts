// Who says what in a run of `up`.
import type { SourceId } from '../../sources/index.ts';

/** What the folder's files say. */
export const folderSource: SourceId = 'folder';
/** How the processes on this machine stand, which counts before what the files say of them. */
export const processSource: SourceId = 'processes';
