namespace KawaOrleans.Storage.Segments;

/// <summary>The offset of every event of a segment, 4 bytes each (offset / 8).</summary>
/// <remarks>
/// One writer, many readers without locks. A reader asks only for positions below the published tail; the tail is
/// published (with a release) after the entries it covers, so those are visible, and chunks never move.
/// What checkpoints list is decoded chunk by chunk when first asked for: two readers may do the same work, the later
/// result replaces an equal one. The chunk that the writer goes on in is decoded before it begins, so that it alone writes there.
/// </remarks>
internal sealed class DensePositions
{
    private const int ChunkBits = 14;
    private const int ChunkEntries = 1 << ChunkBits;

    private readonly string _path;
    private readonly CoveredSection[] _covered;
    private uint[]?[] _chunks;
    private uint[] _last = [];

    /// <param name="path">The file, for errors.</param>
    /// <param name="covered">What checkpoints list, from the segment's first event on, without a hole.</param>
    /// <exception cref="SegmentDamagedException">The last of them does not add up.</exception>
    public DensePositions(string path, CoveredSection[] covered)
    {
        _path = path;
        _covered = covered;
        Count = covered.Length == 0 ? 0 : covered[^1].Behind;
        _chunks = new uint[(Count >> ChunkBits) + 4][];
        if ((Count & (ChunkEntries - 1)) != 0)
        {
            _last = Decode(_chunks, Count >> ChunkBits);
        }
    }

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

    /// <summary>Encodes the lengths of the frames from a relative position on, which lie one behind another up to an offset; answers how
    /// many bytes that took.</summary>
    public int WriteLengths(int first, long end, Span<byte> target)
    {
        var written = 0;
        for (var offset = first == Count ? end : OffsetOf(first); first < Count; first++)
        {
            var next = first + 1 < Count ? OffsetOf(first + 1) : end;
            written += Checkpoint.WriteLength(target[written..], next - offset);
            offset = next;
        }

        return written;
    }

    /// <summary>The offset of the relative position's frame, which is below the published tail.</summary>
    /// <exception cref="SegmentDamagedException">The checkpoint that lists it does not add up.</exception>
    public long OffsetOf(long relative)
    {
        var index = (int)relative;
        var chunks = Volatile.Read(ref _chunks);
        var chunk = Volatile.Read(ref chunks[index >> ChunkBits]) ?? Decode(chunks, index >> ChunkBits);
        return (long)chunk[index & (ChunkEntries - 1)] << 3;
    }

    private uint[] Decode(uint[]?[] chunks, int number)
    {
        var chunk = new uint[ChunkEntries];
        var first = number << ChunkBits;
        for (var i = SectionOf(first); i < _covered.Length && _covered[i].First < first + ChunkEntries; i++)
        {
            if (!_covered[i].TryDecode(chunk, first))
            {
                throw new SegmentDamagedException(_path, _covered[i].End, "a checkpoint does not add up to its place");
            }
        }

        Volatile.Write(ref chunks[number], chunk);
        return chunk;
    }

    /// <summary>The first section that reaches beyond a relative position.</summary>
    private int SectionOf(int relative)
    {
        var (low, high) = (0, _covered.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _covered[middle].Behind <= relative ? (middle + 1, high) : (low, middle);
        }

        return low;
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
}
