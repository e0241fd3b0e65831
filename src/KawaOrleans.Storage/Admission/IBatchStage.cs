using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage.Admission;

/// <summary>Where a writer puts batches. Used by one thread at a time, for one batch after the other.</summary>
internal interface IBatchStage
{
    /// <summary>Where the writer stands.</summary>
    TailCursor Cursor { get; }

    /// <summary>Where the next batch goes.</summary>
    Span<byte> Room(int bytes);

    /// <summary>Takes the batch that the cursor has just numbered there.</summary>
    AppendedBatch Stage(Span<byte> frames, long now);

    /// <summary>Undoes what was copied there: the batch is not written.</summary>
    void Drop(Span<byte> frames);
}
