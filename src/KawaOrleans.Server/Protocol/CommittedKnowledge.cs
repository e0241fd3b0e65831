namespace KawaOrleans.Server.Protocol;

/// <summary>How far a replica of several knows its open segment to be acknowledged: what its primary told it in the opening that it follows.
/// Kept in memory only, so after a restart it is the base until someone tells more.</summary>
internal sealed class CommittedKnowledge(long start)
{
    private long _known = start;

    /// <summary>The primary told; it never takes back.</summary>
    public void Learn(long committed) => _known = Math.Max(_known, committed);

    /// <summary>Where readers stop, of a replica that holds so much: it may be told of more than it has.</summary>
    public long Readable(long tail) => Math.Min(_known, tail);
}
