/**
 * `discovered` endpoints have addresses; those that stand in a cluster itself may have names, for Envoy to
 * look up.
 */
export type AssignmentKind = 'discovered' | 'inline';
