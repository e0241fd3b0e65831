using KawaOrleans.Format;

namespace KawaOrleans.Storage;

/// <summary>One recovered replica. Reads are safe from any thread and never wait for a write.</summary>
public sealed class Segment
{
    /// <summary>What the file says of itself.</summary>
    public SegmentHeader Header => throw new NotImplementedException();

    /// <summary>Where it is in its life.</summary>
    public SegmentState State => throw new NotImplementedException();

    /// <summary>The file.</summary>
    public string Path => throw new NotImplementedException();

    /// <summary>The end of what is on disk: readers stop here.</summary>
    public Tail Tail => throw new NotImplementedException();

    /// <summary>The opening recorded when its first writer took it, or null.</summary>
    public Guid? OpeningId => throw new NotImplementedException();

    /// <summary>Takes the write handle; the one before it is fenced off after its write in flight.</summary>
    /// <exception cref="WriterFencedException">The replica is fenced or sealed.</exception>
    public SegmentWriter OpenWriter(Guid openingId) => throw new NotImplementedException();

    /// <summary>The event at a position, or false where there is none (not yet, no more, or not here).</summary>
    /// <exception cref="SegmentDamagedException">The frame does not verify.</exception>
    public bool TryRead(long position, out RecordedEvent? found) => throw new NotImplementedException();

    /// <summary>The frames of [from, to), as many as fit: at least one event if there is one. Not verified: the reader does that.</summary>
    public FrameSpan Read(long from, long to, int maxEvents, int maxBytes) => throw new NotImplementedException();

    /// <summary>Completes with true once the tail is beyond the position, with false when time is up or the segment has ended.</summary>
    public ValueTask<bool> WaitForAsync(long position, TimeSpan wait, CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>Makes the replica refuse its writer for ever (synced) and answers how far it got. Repeatable.</summary>
    public Tail Fence(long savedChainVersion) => throw new NotImplementedException();

    /// <summary>Ends a fenced replica at the position that the chain says (synced). Repeatable.</summary>
    public void Seal(long end) => throw new NotImplementedException();

    /// <summary>Path, sizes, counts.</summary>
    public ReplicaStats GetStats() => throw new NotImplementedException();
}
