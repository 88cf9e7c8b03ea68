// What is wrong with a part of a Gateway API object, in the words of its conditions.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.RouteConditionReason

export interface Problem {
  readonly reason: string;
  readonly message: string;
}

/** A value, with what is wrong with it where it still can be used. */
export interface Attempt<T> {
  readonly value: T;
  readonly problem?: Problem;
}
