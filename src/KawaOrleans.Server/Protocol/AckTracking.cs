namespace KawaOrleans.Server.Protocol;

/// <summary>How far each replica of a segment said, in one opening, that it holds it, and what that acknowledges: everything that
/// any A of them hold. What a replica says to another opening, or gets by completion, is not said here (docs/PROTOCOL.md, P3, P4).</summary>
internal sealed class AckTracking
{
    private readonly Guid _openingId;
    private readonly int _ackQuorum;
    private readonly long[] _held;
    private readonly long[] _sorted;

    /// <param name="segment">The segment: how many replicas, how many acknowledge.</param>
    /// <param name="openingId">The opening whose answers count.</param>
    public AckTracking(ChainSegment segment, Guid openingId)
    {
        _openingId = openingId;
        _ackQuorum = segment.AckQuorum;
        _held = new long[segment.Ensemble.Count];
        _sorted = new long[segment.Ensemble.Count];
        Array.Fill(_held, segment.Base);
        Committed = segment.Base;
    }

    /// <summary>The position behind the last acknowledged event. Never goes back.</summary>
    public long Committed { get; private set; }

    /// <summary>A replica, by its place in the ensemble, holds everything below a position; true when that moved <see cref="Committed"/>.</summary>
    public bool Hold(int replica, Guid? openingId, long position)
    {
        if (openingId != _openingId || position <= _held[replica])
        {
            return false;
        }

        _held[replica] = position;
        _held.CopyTo(_sorted, 0);
        Array.Sort(_sorted);
        var common = _sorted[^_ackQuorum];
        var moved = common > Committed;
        Committed = Math.Max(Committed, common);
        return moved;
    }

    /// <summary>A replica no longer has what it said; nothing that is not acknowledged yet rests on it from here on.</summary>
    public void Forget(int replica) => _held[replica] = 0;
}
