using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Segments;

/// <summary>The events that one checkpoint lists: where they lie, kept in the checkpoint's own encoding until someone asks.</summary>
/// <param name="First">The relative position of the first of them.</param>
/// <param name="Start">The offset of the first frame.</param>
/// <param name="Checkpoint">What lists them. Its frame follows the last of theirs.</param>
internal sealed record CoveredSection(int First, long Start, Checkpoint Checkpoint)
{
    public int Behind => First + Checkpoint.Events;

    /// <summary>The offset behind the last frame.</summary>
    public long End => Checkpoint.CoveredOffset;

    /// <summary>Puts the offsets / 8 of those of its events that belong there into a stretch of the index.</summary>
    /// <param name="stretch">The stretch.</param>
    /// <param name="firstOfStretch">The relative position of its first entry.</param>
    /// <returns>False when the lengths do not lead from start to end.</returns>
    public bool TryDecode(Span<uint> stretch, int firstOfStretch)
    {
        var lengths = Checkpoint.Lengths.Span;
        var offset = Start;
        var at = 0;
        for (var i = First - firstOfStretch; i < Behind - firstOfStretch; i++)
        {
            if (i >= 0 && i < stretch.Length)
            {
                stretch[i] = (uint)(offset >> 3);
            }

            if (!Checkpoint.TryReadLength(lengths, ref at, out var length))
            {
                return false;
            }

            offset += length;
        }

        return offset == End && at == lengths.Length;
    }

    /// <summary>The streams of its events.</summary>
    public StreamDelta Streams(string path) => new(Checkpoint.Streams, (uint)First, Checkpoint.Events, path, End);
}
