namespace KawaOrleans.Storage.Streams;

/// <summary>Which stream each of the newest events of a segment belongs to, in their order: 4 bytes an event, and nothing to keep up to
/// date while appending. Few enough to be searched.</summary>
/// <param name="room">How many to have room for at first.</param>
internal sealed class UncoveredEvents(int room)
{
    public const int FirstEntries = 256;

    private const int SearchedAtOnce = 4096;

    private readonly List<(int Index, uint Positions)> _gaps = [];
    private int[] _ordinals = new int[room];
    private uint _inGaps;

    /// <summary>The relative position of the first of them.</summary>
    public uint First { get; private set; }

    public int Count { get; private set; }

    /// <summary>The relative position that comes next.</summary>
    public uint Next => First + (uint)Count + _inGaps;

    public ReadOnlySpan<int> Ordinals => _ordinals.AsSpan(0, Count);

    public void Add(ReadOnlySpan<int> ordinals)
    {
        Reserve(ordinals.Length);
        ordinals.CopyTo(_ordinals.AsSpan(Count));
        Count += ordinals.Length;
    }

    /// <summary>Passes over positions that are no events any more. Only a segment that is not open has such: it is gathered, not searched.</summary>
    public void AddGap(uint positions)
    {
        _gaps.Add((Count, positions));
        _inGaps += positions;
    }

    /// <summary>How many positions are passed over before the event of an index, which is asked of one index after the other.</summary>
    public uint GapBefore(int index, ref int gap)
    {
        var passed = 0U;
        for (; gap < _gaps.Count && _gaps[gap].Index == index; gap++)
        {
            passed += _gaps[gap].Positions;
        }

        return passed;
    }

    /// <summary>How many of a stream's events lie below a relative position.</summary>
    public int CountBelow(int ordinal, long limit) => Ordinals[..(int)Math.Clamp(limit - First, 0, Count)].Count(ordinal);

    /// <summary>Copies the relative positions of a stream's events from an index on, as many as there are and the target takes; answers how many.</summary>
    public int Copy(int ordinal, int from, Span<uint> target)
    {
        var copied = 0;
        for (var begin = 0; begin < Count && copied < target.Length; begin += SearchedAtOnce)
        {
            var some = Ordinals[begin..Math.Min(Count, begin + SearchedAtOnce)];
            if (from > 0 && some.Count(ordinal) is var passed && passed <= from)
            {
                from -= passed;
                continue;
            }

            for (var at = 0; copied < target.Length && some[at..].IndexOf(ordinal) is var found and >= 0; at += found + 1)
            {
                if (from-- <= 0)
                {
                    target[copied++] = First + (uint)(begin + at + found);
                }
            }
        }

        return copied;
    }

    /// <summary>Goes on empty at a relative position; the memory is kept for what follows.</summary>
    public void GoOnAt(uint position)
    {
        First = position;
        (Count, _inGaps) = (0, 0);
        _gaps.Clear();
    }

    private void Reserve(int more)
    {
        if (Count + more > _ordinals.Length)
        {
            Array.Resize(ref _ordinals, Math.Max(Count + more, 2 * _ordinals.Length));
        }
    }
}
