using System.Collections.Concurrent;

namespace KawaOrleans.Server.Nodes;

/// <summary>What the writers on this silo say of the segments of several replicas that they write, for whoever was told that one takes no
/// appends. Kept beside the grains, because a grain that waits for its segment's end has nobody to ask.</summary>
internal sealed class WriterStandings
{
    private readonly ConcurrentDictionary<Guid, Func<string?>> _whyEnd = new();

    /// <summary>The writer of a segment: from now on it is asked why that is to be ended, null while it goes on.</summary>
    public void Set(Guid segmentId, Func<string?> whyEnd) => _whyEnd[segmentId] = whyEnd;

    /// <summary>The segment's writer is gone.</summary>
    public void Remove(Guid segmentId) => _whyEnd.TryRemove(segmentId, out _);

    /// <summary>What its writer answers; null when it has none here, and then <paramref name="isWritten"/> is false.</summary>
    public string? Ask(Guid segmentId, out bool isWritten)
    {
        isWritten = _whyEnd.TryGetValue(segmentId, out var whyEnd);
        return whyEnd?.Invoke();
    }
}
