namespace KawaOrleans.Storage.Streams;

/// <summary>The last event of a stream within a range of the log.</summary>
/// <param name="Revision">Its number in the stream.</param>
/// <param name="Position">Its number in the log.</param>
/// <param name="Timestamp">When it was recorded, in ticks.</param>
/// <param name="State">What it says of the stream.</param>
internal readonly record struct StreamHead(long Revision, long Position, long Timestamp, StreamState State = StreamState.Live);

/// <summary>The heads of a range of the log. Safe to ask from any thread.</summary>
internal interface IStreamHeads
{
    /// <exception cref="SegmentDamagedException">What it rests on does not verify.</exception>
    StreamHead? Find(StreamName name);
}
