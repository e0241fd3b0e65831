using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Segments;

/// <summary>The events that one checkpoint lists: where they lie, kept in the checkpoint's own encoding until someone asks.</summary>
/// <param name="First">The relative position of the first of them.</param>
/// <param name="Events">How many.</param>
/// <param name="Start">The offset of the first frame.</param>
/// <param name="End">The offset behind the last: that of the checkpoint.</param>
/// <param name="Encoded">Their padded lengths, and behind them their streams.</param>
internal sealed record CoveredSection(int First, int Events, long Start, long End, byte[] Encoded)
{
    public int Behind => First + Events;

    /// <summary>Puts the offsets / 8 of those of its events that belong there into a stretch of the index.</summary>
    /// <param name="stretch">The stretch.</param>
    /// <param name="firstOfStretch">The relative position of its first entry.</param>
    /// <returns>False when the lengths do not lead from start to end.</returns>
    public bool TryDecode(Span<uint> stretch, int firstOfStretch)
    {
        var offset = Start;
        var at = 0;
        for (var i = First - firstOfStretch; i < Behind - firstOfStretch; i++)
        {
            if (i >= 0 && i < stretch.Length)
            {
                stretch[i] = (uint)(offset >> 3);
            }

            if (!Checkpoint.TryReadLength(Encoded, ref at, out var length))
            {
                return false;
            }

            offset += length;
        }

        return offset == End;
    }

    /// <summary>The streams of its events; null when they, or the lengths before them, are not whole.</summary>
    public StreamDelta? Streams()
    {
        var at = 0;
        for (var i = 0; i < Events; i++)
        {
            if (!Checkpoint.TryReadLength(Encoded, ref at, out _))
            {
                return null;
            }
        }

        return StreamDelta.TryRead(Encoded.AsSpan(at), Events);
    }
}
