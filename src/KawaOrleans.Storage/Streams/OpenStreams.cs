using System.Runtime.InteropServices;

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

/// <summary>The streams of one segment that is written: how many events each has, and where they lie. In the order of first appearance; a
/// stream's number in it is its ordinal.</summary>
/// <remarks>One writer, many readers, all of them holding <see cref="Gate"/>. The events lie in two tiers: what checkpoints cover as they encode it,
/// what came since in order of arrival, gathered by stream when the next checkpoint is made. So an append adds one number.</remarks>
/// <param name="path">The file, for errors.</param>
/// <param name="uncovered">How many events without a checkpoint to have room for.</param>
internal sealed class OpenStreams(string path, int uncovered = UncoveredEvents.FirstEntries)
{
    /// <summary>What lies before the segment was not looked up.</summary>
    public const long NotKnown = -2;

    private readonly StreamTable _table = new();
    private readonly UncoveredEvents _uncovered = new(uncovered);
    private readonly List<StreamDelta> _covered = [];
    private readonly List<int> _touched = [];

    /// <summary>The streams whose last event, here or before, deleted or ended them: few. A restored one is here once it was found by its name.</summary>
    private readonly Dictionary<int, StreamState> _notLive = [];
    private int _coveredStreams;
    private long _begunBytes;
    private int[] _ends = [];
    private uint[] _gathered = [];
    private byte[] _encoded = [];

    /// <summary>Held for every use.</summary>
    public Lock Gate { get; } = new();

    /// <summary>How many streams.</summary>
    public int Count => _table.Count;

    /// <summary>The relative position that comes next.</summary>
    public uint Next => _uncovered.Next;

    /// <summary>Where names of restored streams are read from.</summary>
    public IEventNames? Names
    {
        get => _table.Names;
        set => _table.Names = value;
    }

    /// <summary>An upper bound of what <see cref="Cover"/> answers.</summary>
    public long MaxDeltaBytes => StreamDelta.MaxBytes(_begunBytes, Count - _coveredStreams, _touched.Count, Count, _uncovered.Count);

    public uint HashOf(int ordinal) => _table[ordinal].Hash;

    /// <summary>The revision of the stream's first event in this segment.</summary>
    public long FirstRevision(int ordinal) => _table[ordinal].FirstRevision;

    /// <summary>The revision of the stream's last event, here or before.</summary>
    public long LastRevision(int ordinal) => _table[ordinal].FirstRevision + _table[ordinal].Events - 1;

    /// <summary>The position of the stream's last event before this segment; −1: none; <see cref="NotKnown"/>.</summary>
    public long Previous(int ordinal) => _table[ordinal].Previous;

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

    /// <summary>How many events of the stream lie here.</summary>
    public int Events(int ordinal) => _table[ordinal].Events;

    /// <summary>The relative position of the stream's first event here.</summary>
    public uint FirstPosition(int ordinal) => _table[ordinal].First;

    /// <summary>How many of the stream's events lie below a relative position.</summary>
    /// <exception cref="SegmentDamagedException">A checkpoint does not add up.</exception>
    public int EventsBelow(int ordinal, long limit)
    {
        ref var stream = ref _table[ordinal];
        if (limit >= Next)
        {
            return stream.Events;
        }

        if (limit >= _uncovered.First)
        {
            return stream.Covered + _uncovered.CountBelow(ordinal, limit);
        }

        // Of a segment that ends before what was written. Nothing hurries here.
        var positions = new uint[stream.Covered];
        Positions(ordinal, 0, positions);
        return positions.Count(position => position < limit);
    }

    /// <summary>The stream's ordinal, or −1.</summary>
    /// <exception cref="SegmentDamagedException">A frame that holds a name does not verify.</exception>
    public int Find(uint hash, ReadOnlySpan<byte> name)
    {
        var ordinal = _table.Find(hash, name, out var isNewlyNamed);
        if (isNewlyNamed)
        {
            LearnState(ordinal);
        }

        return ordinal;
    }

    /// <summary>Adds a stream that has no event here yet; answers its ordinal.</summary>
    /// <param name="hash">The name's hash.</param>
    /// <param name="name">The name.</param>
    /// <param name="firstRevision">The revision that its first event here has.</param>
    /// <param name="previous">The position of its last event before this segment; −1: none.</param>
    public int Begin(uint hash, ReadOnlySpan<byte> name, long firstRevision, long previous)
    {
        _begunBytes += StreamDelta.BytesOf(firstRevision);
        return _table.Add(hash, name, firstRevision, previous);
    }

    /// <summary>Takes back the streams from this ordinal on, which have no events.</summary>
    public void TakeBack(int from)
    {
        for (var ordinal = Count - 1; ordinal >= from; ordinal--)
        {
            _begunBytes -= StreamDelta.BytesOf(FirstRevision(ordinal));
            _notLive.Remove(ordinal);
            _table.RemoveLast();
        }
    }

    /// <summary>Adds the next events, each of the stream of an ordinal; answers their revisions.</summary>
    public void Add(ReadOnlySpan<int> ordinals, Span<long> revisions)
    {
        for (var i = 0; i < ordinals.Length; i++)
        {
            ref var stream = ref _table[ordinals[i]];
            if (stream.Events == stream.Covered)
            {
                _touched.Add(ordinals[i]);
                stream.First = stream.Events == 0 ? Next + (uint)i : stream.First;
            }

            stream.Last = Next + (uint)i;
            revisions[i] = stream.FirstRevision + stream.Events++;
        }

        for (var i = 0; _notLive.Count > 0 && i < ordinals.Length; i++)
        {
            _notLive.Remove(ordinals[i]);
        }

        _uncovered.Add(ordinals);
    }

    /// <summary>Adds the next event; answers its revision.</summary>
    public long Add(int ordinal)
    {
        long revision = 0;
        Add([ordinal], new Span<long>(ref revision));
        return revision;
    }

    /// <summary>Passes over positions that are no events any more.</summary>
    public void AddGap(uint positions) => _uncovered.AddGap(positions);

    /// <summary>Gathers the events that no checkpoint covers, and takes them for covered. The answer holds until events are added.</summary>
    public StreamGroups Gather()
    {
        _touched.Sort();
        EnsureLength(ref _ends, _touched.Count);
        EnsureLength(ref _gathered, _uncovered.Count);

        // A stream's count of covered events serves meanwhile as the place of its next position.
        var end = 0;
        for (var i = 0; i < _touched.Count; i++)
        {
            ref var stream = ref _table[_touched[i]];
            (stream.Covered, end) = (end, end + stream.Events - stream.Covered);
            _ends[i] = end;
        }

        var ordinals = _uncovered.Ordinals;
        var position = _uncovered.First;
        for (var (i, gap) = (0, 0); i < ordinals.Length; i++)
        {
            position += _uncovered.GapBefore(i, ref gap);
            _gathered[_table[ordinals[i]].Covered++] = position++;
        }

        foreach (var ordinal in _touched)
        {
            _table[ordinal].Covered = _table[ordinal].Events;
        }

        return new StreamGroups(CollectionsMarshal.AsSpan(_touched), _ends.AsSpan(0, _touched.Count), _gathered);
    }

    /// <summary>Encodes what a checkpoint at this offset says of the events that none covers yet, and takes them for covered.</summary>
    public ReadOnlyMemory<byte> Cover(long offset)
    {
        EnsureLength(ref _encoded, checked((int)MaxDeltaBytes));
        var (first, events) = (_uncovered.First, _uncovered.Count);
        var begun = new BegunStream[Count - _coveredStreams];
        for (var i = 0; i < begun.Length; i++)
        {
            ref var stream = ref _table[_coveredStreams + i];
            begun[i] = new BegunStream(stream.Hash, stream.FirstRevision, stream.First);
        }

        var encoded = _encoded.AsSpan(0, StreamDelta.Write(_encoded, begun, Gather(), first)).ToArray();
        Pass(new StreamDelta(encoded, first, events, path, offset));
        return encoded;
    }

    /// <summary>Takes what the next checkpoint says for true; false when it contradicts itself or what came before. Names are read when a hash matches.</summary>
    public bool TryRestore(StreamDelta delta)
    {
        if (delta.First != _uncovered.Next || !delta.TryRead(
            Count,
            stream => _table[_table.Add(stream.Hash, name: [], stream.FirstRevision, NotKnown)].First = stream.First,
            (ordinal, events) =>
            {
                ref var stream = ref _table[ordinal];
                stream.Covered = stream.Events += events;
                stream.Last = StreamTable.NotKnown;
            }))
        {
            return false;
        }

        Pass(delta);
        return true;
    }

    /// <summary>Copies the relative positions of the stream's events from an index on, as many as the target takes.</summary>
    /// <exception cref="SegmentDamagedException">A checkpoint does not add up.</exception>
    public void Positions(int ordinal, int from, Span<uint> target)
    {
        ref var stream = ref _table[ordinal];
        if (target.Length == 1 && from == stream.Events - 1 && stream.Last != StreamTable.NotKnown)
        {
            // What the first event of a stream in the next segment asks: no checkpoint is decoded for it.
            target[0] = stream.Last;
            return;
        }

        for (var i = Section(ref stream, ordinal, ref from); i < _covered.Count && !target.IsEmpty; i++)
        {
            var events = _covered[i].EventsOf(ordinal);
            if (from < events)
            {
                var some = target[..Math.Min(target.Length, events - from)];
                _covered[i].Copy(ordinal, from, some);
                target = target[some.Length..];
            }

            from = Math.Max(0, from - events);
        }

        _uncovered.Copy(ordinal, from, target);
    }

    private static void EnsureLength<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            array = new T[Math.Max(length, 2 * array.Length)];
        }
    }

    /// <summary>Of a stream that checkpoints told of. Nothing was added to it since: for that it would have been found by its name.</summary>
    private void LearnState(int ordinal)
    {
        try
        {
            Span<uint> last = stackalloc uint[1];
            Positions(ordinal, Events(ordinal) - 1, last);
            SetState(ordinal, Names!.StateAfter(last[0]));
        }
        catch
        {
            // Else it would count as live the next time.
            _table[ordinal].Name = 0;
            throw;
        }
    }

    private void Pass(StreamDelta delta)
    {
        _covered.Add(delta);
        _uncovered.GoOnAt(delta.First + (uint)delta.Events);
        _touched.Clear();
        _coveredStreams = Count;
        _begunBytes = 0;
    }

    /// <summary>The checkpoint to begin with for a stream's events from an index on, and the index counted from there.</summary>
    private int Section(ref StreamTable.Entry stream, int ordinal, ref int from)
    {
        if (from < stream.Covered / 2)
        {
            return SectionOf(stream.First);
        }

        var (section, behind) = (_covered.Count, stream.Covered);
        while (behind > from)
        {
            behind -= _covered[--section].EventsOf(ordinal);
        }

        from -= behind;
        return section;
    }

    /// <summary>The first checkpoint that covers more than what lies below a relative position.</summary>
    private int SectionOf(uint position)
    {
        var (low, high) = (0, _covered.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _covered[middle].First + (uint)_covered[middle].Events <= position ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
