namespace KawaOrleans.Server.Protocol;

/// <summary>What a node does with one of its replicas once it keeps a chain.</summary>
internal abstract record ReplicaDuty
{
    /// <summary>Nothing: it is open, or all is done.</summary>
    public sealed record Nothing : ReplicaDuty;

    /// <summary>Fence it, if it is not, and seal it at the end if it reaches there. One that is short of it stays fenced.</summary>
    public sealed record Seal(long End) : ReplicaDuty;

    /// <summary>Put the file out of the way: no chain from this one on lists it.</summary>
    public sealed record SetAside(string Why) : ReplicaDuty;

    /// <param name="newest">The newest chain kept.</param>
    /// <param name="segmentId">The replica's segment.</param>
    /// <param name="generation">Its generation.</param>
    /// <param name="preparedAgainst">The chain version its header names: a chain that brings it in is newer, and is the next one after that.</param>
    /// <param name="state">The replica's state.</param>
    /// <param name="self">The data directory it lies in: one that another has replaced lets go of it.</param>
    public static ReplicaDuty Under(Chain newest, Guid segmentId, int generation, long preparedAgainst, ReplicaState state, Guid self) =>
        newest.Segments.FirstOrDefault(entry => entry.Id == segmentId && entry.Generation == generation) switch
        {
            null when preparedAgainst < newest.Version => new SetAside($"chain version {newest.Version} of log '{newest.LogName}' does not list it"),
            { IsOpen: false } elsewhere when preparedAgainst < newest.Version && elsewhere.Ensemble.All(node => node.Id != self) =>
                new SetAside($"chain version {newest.Version} of log '{newest.LogName}' lists it on other nodes"),
            { End: { } end } when state != ReplicaState.Sealed => new Seal(end),
            _ => new Nothing(),
        };
}
