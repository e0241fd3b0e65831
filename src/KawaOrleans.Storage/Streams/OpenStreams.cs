using System.Buffers.Binary;

namespace KawaOrleans.Storage.Streams;

/// <summary>Reads the name of the stream that an event belongs to.</summary>
internal interface IEventNames
{
    /// <exception cref="SegmentDamagedException">The event's frame does not verify.</exception>
    bool IsInStream(uint relativePosition, ReadOnlySpan<byte> name);

    /// <summary>What the event says of its stream, if it is the stream's last.</summary>
    /// <exception cref="SegmentDamagedException">The event's frame does not verify.</exception>
    StreamState StateAfter(uint relativePosition);
}

/// <summary>The streams of one segment that is written: where each event of each lies. In the order of first appearance; a stream's
/// number in it is its ordinal.</summary>
/// <remarks>One writer, many readers, all of them holding <see cref="Gate"/>. Names of streams met while it was written are kept; for
/// those restored from checkpoints the name is read from the first event's frame when a hash matches, and kept when the name does.</remarks>
internal sealed class OpenStreams
{
    /// <summary>What lies before the segment was not looked up.</summary>
    public const long NotKnown = -2;

    private const int NoOrdinal = -1;
    private const int FirstBuckets = 64;
    private const int NameChunkBytes = 64 * 1024;

    private readonly Chunked<Entry> _entries = new();
    private readonly PositionLists _lists = new();
    private readonly Chunked<int> _uncovered = new();
    private readonly List<byte[]> _names = [];
    private int _namesUsed = NameChunkBytes;
    private int[] _buckets = NewBuckets(FirstBuckets);

    /// <summary>Of the streams whose last event, here or before, deleted or ended them: few. One restored from a checkpoint is here once its name is kept.</summary>
    private readonly Dictionary<int, StreamState> _notLive = [];

    /// <summary>Held for every use.</summary>
    public Lock Gate { get; } = new();

    /// <summary>How many streams.</summary>
    public int Count => _entries.Count;

    /// <summary>The ordinals of the events that no checkpoint covers yet, in their order.</summary>
    public Chunked<int> Uncovered => _uncovered;

    /// <summary>How many streams the last checkpoint knows.</summary>
    public int CoveredStreams { get; private set; }

    /// <summary>How many bytes the streams that no checkpoint covers take in the next one.</summary>
    public long UncoveredStreamBytes { get; private set; }

    /// <summary>Where names of restored streams are read from.</summary>
    public IEventNames? Names { get; set; }

    public uint HashOf(int ordinal) => _entries[ordinal].Hash;

    /// <summary>The revision of the stream's first event in this segment.</summary>
    public long FirstRevision(int ordinal) => _entries[ordinal].FirstRevision;

    /// <summary>The revision of the stream's last event, here or before.</summary>
    public long LastRevision(int ordinal) => _entries[ordinal].FirstRevision + _entries[ordinal].Events - 1;

    /// <summary>What the stream's last event says of it. Of a stream that was found by its name.</summary>
    public StreamState StateOf(int ordinal) => _notLive.Count == 0 ? StreamState.Live : _notLive.GetValueOrDefault(ordinal);

    /// <summary>Notes what the stream's last event says of it: the one just added, or the one before this segment.</summary>
    public void SetState(int ordinal, StreamState state)
    {
        if (state != StreamState.Live)
        {
            _notLive[ordinal] = state;
        }
    }

    /// <summary>The position of the stream's last event before this segment; −1: none; <see cref="NotKnown"/>.</summary>
    public long Previous(int ordinal) => _entries[ordinal].Previous;

    /// <summary>How many events of the stream lie here.</summary>
    public int Events(int ordinal) => _entries[ordinal].Events;

    /// <summary>How many of them lie below a relative position.</summary>
    public int EventsBelow(int ordinal, long limit)
    {
        var events = Events(ordinal);
        Span<uint> last = stackalloc uint[1];
        for (; events > 0; events--)
        {
            // What is staged and not yet published is little, and lies at the end.
            Positions(ordinal, events - 1, last);
            if (last[0] < limit)
            {
                break;
            }
        }

        return events;
    }

    /// <summary>The relative position of the stream's first event here.</summary>
    public uint FirstPosition(int ordinal) => _entries[ordinal].First;

    /// <summary>The stream's ordinal, or −1.</summary>
    /// <exception cref="SegmentDamagedException">A frame that holds a name does not verify.</exception>
    public int Find(uint hash, ReadOnlySpan<byte> name)
    {
        for (var ordinal = _buckets[hash & (uint)(_buckets.Length - 1)]; ordinal != NoOrdinal;)
        {
            ref var entry = ref _entries[ordinal];
            if (entry.Hash == hash && IsNamed(ordinal, ref entry, name))
            {
                return ordinal;
            }

            ordinal = entry.Next;
        }

        return NoOrdinal;
    }

    /// <summary>Adds a stream that has no event here yet; answers its ordinal.</summary>
    /// <param name="hash">The name's hash.</param>
    /// <param name="name">The name; empty for a restored one, whose name its first event's frame tells.</param>
    /// <param name="firstRevision">The revision that its first event here has.</param>
    /// <param name="previous">The position of its last event before this segment; −1: none.</param>
    public int Begin(uint hash, ReadOnlySpan<byte> name, long firstRevision, long previous)
    {
        var ordinal = _entries.Count;
        if (ordinal == _buckets.Length)
        {
            Rehash();
        }

        ref var bucket = ref _buckets[hash & (uint)(_buckets.Length - 1)];
        _entries.Add(new Entry
        {
            Hash = hash,
            Next = bucket,
            Name = name.IsEmpty ? 0 : Keep(name),
            FirstRevision = firstRevision,
            Previous = previous,
        });
        UncoveredStreamBytes += StreamDelta.BytesOf(firstRevision);
        return bucket = ordinal;
    }

    /// <summary>Takes back the streams from this ordinal on, which have no events.</summary>
    public void TakeBack(int from)
    {
        for (var ordinal = _entries.Count - 1; ordinal >= from; ordinal--)
        {
            // The newest stands first in its bucket, and its name last among the names.
            ref var entry = ref _entries[ordinal];
            _buckets[entry.Hash & (uint)(_buckets.Length - 1)] = entry.Next;
            UncoveredStreamBytes -= StreamDelta.BytesOf(entry.FirstRevision);
            _notLive.Remove(ordinal);
            Forget(entry.Name);
        }

        _entries.Truncate(from);
    }

    /// <summary>Adds the stream's next event; answers its revision.</summary>
    public long Add(int ordinal, uint relativePosition)
    {
        ref var entry = ref _entries[ordinal];
        if (entry.Events == 0)
        {
            entry.First = relativePosition;
        }
        else
        {
            entry.LastBlock = _lists.Add(entry.LastBlock, entry.Events - 1, relativePosition);
        }

        if (_notLive.Count > 0)
        {
            _notLive.Remove(ordinal);
        }

        _uncovered.Add(ordinal);
        return entry.FirstRevision + entry.Events++;
    }

    /// <summary>Notes that a checkpoint covers everything added so far.</summary>
    public void Covered()
    {
        _uncovered.Clear();
        CoveredStreams = Count;
        UncoveredStreamBytes = 0;
    }

    /// <summary>Copies the relative positions of the stream's events from an index on, as many as the target takes.</summary>
    public void Positions(int ordinal, int from, Span<uint> target)
    {
        ref var entry = ref _entries[ordinal];
        if (from == 0 && !target.IsEmpty)
        {
            target[0] = entry.First;
            target = target[1..];
            from = 1;
        }

        _lists.Copy(entry.LastBlock, entry.Events - 1, from - 1, target);
    }

    private static int[] NewBuckets(int count)
    {
        var buckets = new int[count];
        Array.Fill(buckets, NoOrdinal);
        return buckets;
    }

    private bool IsNamed(int ordinal, ref Entry entry, ReadOnlySpan<byte> name)
    {
        if (entry.Name == 0)
        {
            if (!Names!.IsInStream(entry.First, name))
            {
                return false;
            }

            // Nothing was added since it was restored: for that it would have been found by its name.
            Span<uint> last = stackalloc uint[1];
            Positions(ordinal, entry.Events - 1, last);
            SetState(ordinal, Names.StateAfter(last[0]));
            entry.Name = Keep(name);
            return true;
        }

        var kept = Kept(entry.Name);
        return name.SequenceEqual(kept.Slice(sizeof(ushort), BinaryPrimitives.ReadUInt16LittleEndian(kept)));
    }

    private Span<byte> Kept(uint name) => _names[(int)((name - 1) / NameChunkBytes)].AsSpan((int)((name - 1) % NameChunkBytes));

    private uint Keep(ReadOnlySpan<byte> name)
    {
        if (_namesUsed + sizeof(ushort) + name.Length > NameChunkBytes)
        {
            _names.Add(new byte[NameChunkBytes]);
            _namesUsed = 0;
        }

        var kept = (uint)(((_names.Count - 1) * NameChunkBytes) + _namesUsed + 1);
        BinaryPrimitives.WriteUInt16LittleEndian(Kept(kept), (ushort)name.Length);
        name.CopyTo(Kept(kept)[sizeof(ushort)..]);
        _namesUsed += sizeof(ushort) + name.Length;
        return kept;
    }

    private void Forget(uint name)
    {
        // Only the last one: behind it may lie that of a restored stream, met in the same batch.
        if (name != 0 && (name - 1) / NameChunkBytes == (uint)_names.Count - 1
            && (int)((name - 1) % NameChunkBytes) is var at && at + sizeof(ushort) + BinaryPrimitives.ReadUInt16LittleEndian(Kept(name)) == _namesUsed)
        {
            _namesUsed = at;
        }
    }

    private void Rehash()
    {
        _buckets = NewBuckets(_buckets.Length * 2);
        for (var ordinal = 0; ordinal < _entries.Count; ordinal++)
        {
            // In order, so that the newest still stands first in its bucket.
            ref var entry = ref _entries[ordinal];
            ref var bucket = ref _buckets[entry.Hash & (uint)(_buckets.Length - 1)];
            entry.Next = bucket;
            bucket = ordinal;
        }
    }

    private struct Entry
    {
        public uint Hash;
        public int Next;

        /// <summary>Where the name is kept, plus 1; 0: not kept.</summary>
        public uint Name;
        public uint First;
        public uint LastBlock;
        public int Events;
        public long FirstRevision;
        public long Previous;
    }
}
