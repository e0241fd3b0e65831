namespace KawaOrleans.Storage.Streams;

/// <summary>The heads of one segment that has ended, or is about to: what it holds below a position.</summary>
internal sealed class SegmentHeads(Segment segment, long to) : IStreamHeads, IHeadSource
{
    public long From => segment.Header.BasePosition;

    public long To => to;

    public long Streams => segment.SealedStreams().Count;

    public StreamHead? Find(StreamName name) => segment.FindStream(name, to) is { } part ? segment.HeadOf(part) : null;

    public IHeadCursor Read() => segment.SealedStreams().Read();
}
