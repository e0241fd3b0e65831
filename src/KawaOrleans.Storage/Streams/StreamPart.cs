namespace KawaOrleans.Storage.Streams;

/// <summary>Copies the relative positions of a stream's events in a segment, from one of them on, as many as the target takes.</summary>
internal delegate void PositionCopy(int from, Span<uint> target);

/// <summary>What a segment holds of a stream.</summary>
/// <param name="FirstRevision">The revision of its first event here.</param>
/// <param name="Previous">The position of its last event before the segment; −1: none; <see cref="OpenStreams.NotKnown"/>.</param>
/// <param name="Events">How many events, at least one.</param>
/// <param name="Copy">Where they lie.</param>
internal sealed record StreamPart(long FirstRevision, long Previous, int Events, PositionCopy Copy)
{
    /// <summary>The revision of its last event here.</summary>
    public long LastRevision => FirstRevision + Events - 1;

    /// <summary>The relative position of its last event.</summary>
    public uint LastPosition()
    {
        Span<uint> last = stackalloc uint[1];
        Copy(Events - 1, last);
        return last[0];
    }
}
