namespace KawaOrleans.Client;

/// <summary>Batches that travel together, from the first try to the outcome. What was sent once is repeated as it was.</summary>
internal sealed class OutgoingBlock(List<PendingBatch> batches)
{
    public List<PendingBatch> Batches { get; set; } = batches;

    public int Bytes { get; } = batches.Sum(static batch => batch.Bytes);

    /// <summary>Where the block comes in the line's order, for the try under way.</summary>
    public BlockOrder? Order { get; set; }

    /// <summary>When the oldest of its batches was given: see <see cref="PendingBatch.Given"/>.</summary>
    public long Given { get; } = batches[0].Given;

    /// <summary>Cancelled when its writer proves silent to another block of the run: nobody waits for this one's answer either.</summary>
    public CancellationToken RunEnds { get; set; }

    /// <summary>How far the log was known to reach when it was first sent.</summary>
    public long? KnownEnd { get; set; }

    /// <summary>When an answer was first lost: from then on it may be in the log. Null: it certainly is not.</summary>
    public long? FirstLost { get; set; }

    /// <summary>Why the last try did not bring it to the log.</summary>
    public Exception? LastFailure { get; set; }

    /// <summary>True once everybody who waits for one of its batches has the outcome.</summary>
    public bool IsTold => Batches.TrueForAll(static batch => batch.Task.IsCompleted);

    public AppendRequest Request() => new()
    {
        Batches = Batches.Count == 1 ? Block.Of(Batches[0].Batch) : Block.Of(Batches.ConvertAll(static batch => batch.Batch)),
        Order = Order,
        RetrySince = FirstLost is null ? null : KnownEnd,
        Expected = Batches.Exists(static batch => batch.Expected is not null) ? Batches.ConvertAll(static batch => batch.Expected) : null,
    };
}
