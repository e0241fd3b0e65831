using KawaOrleans.Format;

namespace KawaOrleans.Storage.Admission;

/// <summary>The newest events of a log, known by their prints: positions [<see cref="Start"/>, <see cref="End"/>) without holes. Grows up to
/// its capacity and then forgets the oldest for each one added: 28 bytes an event, no object for any.</summary>
/// <remarks>Used by one thread at a time. A ring of prints, indexed by position, and an open-addressing table into it (linear probing, at
/// most half full, entries moved back on removal, so that it needs no cleaning). A table slot holds ring index + 1 and, in the
/// bits above, how far it lies behind its home, and some bits of the id: so that neither a probe nor a removal has to look into the ring, but rarely.
/// Both tables are larger than a processor's caches, and what an event touches there lies anywhere: <see cref="Approach"/>.</remarks>
internal sealed class RecentEvents
{
    private const int FirstLength = 256;

    // Distances from home; the largest stands for all from there on, and the ring tells which.
    private const int DistanceBits = 5;
    private const uint Far = (1 << DistanceBits) - 1;

    private readonly int _capacity;
    private readonly TimeMarks _times = new();
    private ulong[] _ids = [];
    private uint[] _contents = [];
    private long[] _revisions = [];
    private uint[] _table = [];
    private int _ringMask = -1;
    private int _tableMask;
    private int _indexBits;
    private uint _approached;

    /// <param name="capacity">How many events it holds at most; 0: none.</param>
    /// <param name="position">Where it begins: it knows nothing before.</param>
    public RecentEvents(int capacity, long position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        _capacity = capacity;
        Start = End = position;
    }

    /// <summary>The first position it knows.</summary>
    public long Start { get; private set; }

    /// <summary>The position behind the last one it knows.</summary>
    public long End { get; private set; }

    private int Count => (int)(End - Start);

    /// <summary>Has the memory that adding these events next will touch brought near: all of it at once, where one after the other would wait for each.
    /// A few of them, or the first are gone again.</summary>
    public void Approach(ReadOnlySpan<EventPrint> next)
    {
        if (_table.Length == 0)
        {
            return;
        }

        // Nothing depends on what is read but this, so the reads do not wait for each other.
        var seen = 0U;
        foreach (var print in next)
        {
            seen |= _table[Home(print.Id)];
        }

        for (var oldest = Start; oldest < Start + Count + next.Length - _capacity; oldest++)
        {
            seen |= _table[Home(_ids[(int)(oldest & _ringMask)])];
        }

        _approached = seen;
    }

    /// <summary>Adds the event at <see cref="End"/> unless one of its id is known.</summary>
    /// <param name="print">The event.</param>
    /// <param name="position">Where the one of its id lies, if it is known.</param>
    public bool TryAdd(EventPrint print, out long position)
    {
        if (Find(print.Id) is var found && found >= 0)
        {
            position = found;
            return false;
        }

        Add(print);
        position = End - 1;
        return true;
    }

    /// <summary>Adds the event at <see cref="End"/>, whatever is known: what is in a log is in it.</summary>
    public void Add(EventPrint print)
    {
        if (_capacity == 0)
        {
            Start = ++End;
            return;
        }

        if (Count == _capacity)
        {
            RemoveFromTable(Start);
            Start++;
            _times.ForgetBefore(Start);
        }
        else if (Count == _ids.Length)
        {
            Grow();
        }

        var index = (int)(End & _ringMask);
        _ids[index] = print.Id;
        _contents[index] = print.Content;
        InsertIntoTable(index, print.Id);
        End++;
    }

    /// <summary>Notes the time of the events from a position up to <see cref="End"/>.</summary>
    public void Stamp(long first, long timestamp) => _times.Add(Math.Max(first, Start), timestamp);

    /// <summary>Notes the revisions of the events from a position on, of those that it knows.</summary>
    public void Number(long first, ReadOnlySpan<long> revisions)
    {
        for (var i = (int)Math.Max(0, Start - first); i < revisions.Length; i++)
        {
            _revisions[(int)((first + i) & _ringMask)] = revisions[i];
        }
    }

    /// <summary>Forgets the events from a position on.</summary>
    public void TruncateTo(long end)
    {
        while (End > Start && End > end)
        {
            RemoveFromTable(End - 1);
            End--;
        }

        // More was taken back than is remembered: what lies between is not known.
        if (End > end)
        {
            Start = End = end;
        }

        _times.ForgetFrom(End);
    }

    /// <summary>The position of the event with this id, or -1.</summary>
    public long Find(ulong id)
    {
        if (_table.Length == 0)
        {
            return -1;
        }

        for (var slot = Home(id); _table[slot] is var entry and not 0; slot = (slot + 1) & _tableMask)
        {
            if (entry >> (_indexBits + DistanceBits) == Tag(id) && _ids[IndexIn(entry)] == id)
            {
                return PositionAt(IndexIn(entry));
            }
        }

        return -1;
    }

    /// <summary>What is known of the event at a position that it knows.</summary>
    public EventPrint At(long position) => new(_ids[(int)(position & _ringMask)], _contents[(int)(position & _ringMask)]);

    /// <summary>The timestamp of the event at a position that it knows.</summary>
    public long TimestampAt(long position) => _times.At(position);

    /// <summary>The revision of the event at a position that it knows.</summary>
    public long RevisionAt(long position) => _revisions[(int)(position & _ringMask)];

    private long PositionAt(int index) => Start + ((index - Start) & _ringMask);

    private int Home(ulong id) => (int)(id & (ulong)_tableMask);

    private uint Tag(ulong id) => (uint)(id >> 32) & (uint.MaxValue >> (_indexBits + DistanceBits));

    private uint DistanceIn(uint entry) => (entry >> _indexBits) & Far;

    /// <summary>How far a slot lies behind the home of what is in it.</summary>
    private int DistanceAt(int slot)
    {
        var distance = DistanceIn(_table[slot]);
        return distance < Far ? (int)distance : (slot - Home(_ids[IndexIn(_table[slot])])) & _tableMask;
    }

    private int IndexIn(uint entry) => (int)(entry & ((1u << _indexBits) - 1)) - 1;

    private void InsertIntoTable(int index, ulong id)
    {
        var home = Home(id);
        var slot = home;
        while (_table[slot] != 0)
        {
            slot = (slot + 1) & _tableMask;
        }

        _table[slot] = (uint)(index + 1) | (Tag(id) << (_indexBits + DistanceBits));
        Place(slot, (slot - home) & _tableMask);
    }

    private void Place(int slot, int distance) =>
        _table[slot] = (_table[slot] & ~(Far << _indexBits)) | (Math.Min((uint)distance, Far) << _indexBits);

    private void RemoveFromTable(long position)
    {
        var index = (int)(position & _ringMask);
        var free = Home(_ids[index]);
        while (_table[free] == 0 || IndexIn(_table[free]) != index)
        {
            free = (free + 1) & _tableMask;
        }

        // Whatever was pushed beyond its home by the removed one moves back, or a search for it would end at the free slot.
        for (var slot = (free + 1) & _tableMask; _table[slot] != 0; slot = (slot + 1) & _tableMask)
        {
            var distance = DistanceAt(slot);
            var back = (slot - free) & _tableMask;
            if (distance >= back)
            {
                _table[free] = _table[slot];
                Place(free, distance - back);
                free = slot;
            }
        }

        _table[free] = 0;
    }

    private void Grow()
    {
        var length = Math.Max(FirstLength, _ids.Length * 2);
        var (ids, contents, revisions) = (new ulong[length], new uint[length], new long[length]);
        var mask = length - 1;
        for (var position = Start; position < End; position++)
        {
            ids[(int)(position & mask)] = _ids[(int)(position & _ringMask)];
            contents[(int)(position & mask)] = _contents[(int)(position & _ringMask)];
            revisions[(int)(position & mask)] = _revisions[(int)(position & _ringMask)];
        }

        (_ids, _contents, _revisions, _ringMask) = (ids, contents, revisions, mask);
        _table = new uint[2 * length];
        _tableMask = _table.Length - 1;
        _indexBits = System.Numerics.BitOperations.Log2((uint)length) + 1;
        for (var position = Start; position < End; position++)
        {
            var index = (int)(position & mask);
            InsertIntoTable(index, ids[index]);
        }
    }
}
