using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage.Admission;

/// <summary>Where a writer puts the batches that it was decided to write. Used by one thread at a time.</summary>
internal interface IBatchStage
{
    /// <summary>Where the writer stands.</summary>
    TailCursor Cursor { get; }

    /// <summary>Takes whole batches that the cursor has just numbered.</summary>
    AppendedBatch Stage(ReadOnlySpan<byte> batches, long now);
}
