using System.Collections.Concurrent;

namespace KawaOrleans.Server.Nodes;

/// <summary>What the writers on this silo say of the segments of several replicas that they write, for whoever was told that one takes no
/// appends. Kept beside the grains, because a grain that waits for its segment's end has nobody to ask.</summary>
internal sealed class WriterStandings
{
    private readonly ConcurrentDictionary<Guid, Writer> _writers = new();

    /// <summary>The writer of a segment.</summary>
    /// <param name="segmentId">The segment.</param>
    /// <param name="whyEnd">From now on it is asked why that is to be ended, null while it goes on.</param>
    /// <param name="acknowledged">And below which position all is acknowledged; null: it has no appends.</param>
    public void Set(Guid segmentId, Func<string?> whyEnd, Func<long>? acknowledged = null) => _writers[segmentId] = new Writer(whyEnd, acknowledged);

    /// <summary>The segment's writer is gone.</summary>
    public void Remove(Guid segmentId) => _writers.TryRemove(segmentId, out _);

    /// <summary>What its writer answers; null when it has none here, and then <paramref name="isWritten"/> is false.</summary>
    public string? Ask(Guid segmentId, out bool isWritten)
    {
        isWritten = _writers.TryGetValue(segmentId, out var writer);
        return writer?.WhyEnd();
    }

    /// <summary>Whether a segment's writer, of this process, was told by enough followers that they hold everything below a position.</summary>
    public bool HasAcknowledged(Guid segmentId, long position) =>
        _writers.TryGetValue(segmentId, out var writer) && writer.Acknowledged is { } acknowledged && acknowledged() >= position;

    private sealed record Writer(Func<string?> WhyEnd, Func<long>? Acknowledged);
}
