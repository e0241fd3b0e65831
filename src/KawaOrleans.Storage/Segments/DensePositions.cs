using System.Collections;

namespace KawaOrleans.Storage.Segments;

/// <summary>The offset of every event of a segment, 4 bytes each (offset / 8).</summary>
/// <remarks>One writer, many readers without locks. A reader asks only for positions below the published tail; the tail is
/// published (with a release) after the entries it covers, so those are visible, and chunks never move.</remarks>
internal sealed class DensePositions
{
    private const int ChunkBits = 14;
    private const int ChunkEntries = 1 << ChunkBits;

    private uint[][] _chunks = new uint[4][];
    private uint[] _last = [];

    public int Count { get; private set; }

    public void Add(long offset)
    {
        Room()[0] = (uint)(offset >> 3);
        Added(1);
    }

    /// <summary>Where the next entries go, at least one.</summary>
    public Span<uint> Room()
    {
        var index = Count & (ChunkEntries - 1);
        if (index == 0)
        {
            AddChunk();
        }

        return _last.AsSpan(index);
    }

    /// <summary>Counts entries written to the beginning of <see cref="Room"/>.</summary>
    public void Added(int entries) => Count += entries;

    /// <summary>The lengths of the frames from a relative position on, which lie one behind another up to an offset. A view: it
    /// takes no memory of its own and holds until the next event is added.</summary>
    public IReadOnlyList<int> LengthsFrom(int first, long end) => new FrameLengths(this, first, end);

    /// <summary>The offset of the relative position's frame, which is below the published tail.</summary>
    public long OffsetOf(long relative)
    {
        var index = (int)relative;
        return (long)Volatile.Read(ref _chunks)[index >> ChunkBits][index & (ChunkEntries - 1)] << 3;
    }

    private void AddChunk()
    {
        var chunk = Count >> ChunkBits;
        if (chunk == _chunks.Length)
        {
            Array.Resize(ref _chunks, chunk * 2);
        }

        _chunks[chunk] = _last = new uint[ChunkEntries];
    }

    private sealed class FrameLengths(DensePositions positions, int first, long end) : IReadOnlyList<int>
    {
        public int Count { get; } = positions.Count - first;

        public int this[int index] =>
            (int)((index + 1 < Count ? positions.OffsetOf(first + index + 1) : end) - positions.OffsetOf(first + index));

        public IEnumerator<int> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
