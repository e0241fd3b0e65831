using System.Buffers.Binary;

namespace KawaOrleans.Storage.Streams;

/// <summary>Streams by number and by name. Names of streams met while the segment was written are kept; for those that checkpoints told of, the name
/// is read from the first event's frame when a hash matches, and kept when the name does.</summary>
internal sealed class StreamTable
{
    /// <summary>Stands for the last position of a stream that checkpoints told of.</summary>
    public const uint NotKnown = uint.MaxValue;

    private const int None = -1;
    private const int FirstBuckets = 64;
    private const int NameChunkBytes = 64 * 1024;

    private readonly Chunked<Entry> _entries = new();
    private byte[][] _names = [];
    private int _nameChunks;
    private int _namesUsed = NameChunkBytes;
    private int[] _buckets = NewBuckets(FirstBuckets);

    public int Count => _entries.Count;

    /// <summary>Where names that are not kept are read from.</summary>
    public IEventNames? Names { get; set; }

    public ref Entry this[int ordinal] => ref _entries[ordinal];

    /// <summary>The stream's number, or −1.</summary>
    /// <param name="hash">The name's hash.</param>
    /// <param name="name">The name.</param>
    /// <param name="isNewlyNamed">True when the name was read just now, and is kept from now on.</param>
    /// <exception cref="SegmentDamagedException">A frame that holds a name does not verify.</exception>
    public int Find(uint hash, ReadOnlySpan<byte> name, out bool isNewlyNamed)
    {
        var buckets = _buckets;
        for (var ordinal = buckets[hash & (uint)(buckets.Length - 1)]; ordinal != None;)
        {
            ref var entry = ref _entries[ordinal];
            if (entry.Hash == hash)
            {
                isNewlyNamed = entry.Name == 0;
                if (IsNamed(ref entry, name))
                {
                    return ordinal;
                }
            }

            ordinal = entry.Next;
        }

        isNewlyNamed = false;
        return None;
    }

    /// <summary>Adds a stream; answers its number.</summary>
    /// <param name="hash">The name's hash.</param>
    /// <param name="name">The name; empty where its first event's frame tells it.</param>
    /// <param name="firstRevision">The revision that its first event here has.</param>
    /// <param name="previous">The position of its last event before this segment.</param>
    public int Add(uint hash, ReadOnlySpan<byte> name, long firstRevision, long previous)
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
        return bucket = ordinal;
    }

    /// <summary>Takes back the newest stream, which stands first in its bucket; its name may be the last of the names.</summary>
    public void RemoveLast()
    {
        ref var entry = ref _entries[_entries.Count - 1];
        _buckets[entry.Hash & (uint)(_buckets.Length - 1)] = entry.Next;
        Forget(entry.Name);
        _entries.Truncate(_entries.Count - 1);
    }

    private static int[] NewBuckets(int count)
    {
        var buckets = new int[count];
        Array.Fill(buckets, None);
        return buckets;
    }

    private bool IsNamed(ref Entry entry, ReadOnlySpan<byte> name)
    {
        if (entry.Name == 0)
        {
            if (!Names!.IsInStream(entry.First, name))
            {
                return false;
            }

            entry.Name = Keep(name);
            return true;
        }

        var kept = Kept(entry.Name);
        return BinaryPrimitives.ReadUInt16LittleEndian(kept) == name.Length && kept.Slice(sizeof(ushort), name.Length).SequenceEqual(name);
    }

    private Span<byte> Kept(uint name) => _names[(name - 1) / NameChunkBytes].AsSpan((int)((name - 1) % NameChunkBytes));

    private uint Keep(ReadOnlySpan<byte> name)
    {
        if (_namesUsed + sizeof(ushort) + name.Length > NameChunkBytes)
        {
            if (_nameChunks == _names.Length)
            {
                Array.Resize(ref _names, Math.Max(4, 2 * _nameChunks));
            }

            _names[_nameChunks++] = new byte[NameChunkBytes];
            _namesUsed = 0;
        }

        var kept = (uint)(((_nameChunks - 1) * NameChunkBytes) + _namesUsed + 1);
        BinaryPrimitives.WriteUInt16LittleEndian(Kept(kept), (ushort)name.Length);
        name.CopyTo(Kept(kept)[sizeof(ushort)..]);
        _namesUsed += sizeof(ushort) + name.Length;
        return kept;
    }

    private void Forget(uint name)
    {
        // Only the last one: behind it may lie that of a restored stream, met in the same batch.
        if (name != 0 && (name - 1) / NameChunkBytes == (uint)_nameChunks - 1
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

    /// <summary>One stream.</summary>
    public struct Entry
    {
        public uint Hash;

        /// <summary>The next stream in the same bucket.</summary>
        public int Next;

        /// <summary>Where the name is kept, plus 1; 0: not kept.</summary>
        public uint Name;

        /// <summary>The relative position of its first event here.</summary>
        public uint First;

        /// <summary>The relative position of its last event here; of one that checkpoints told of not known.</summary>
        public uint Last;

        /// <summary>How many events it has here, and how many of them checkpoints cover.</summary>
        public int Events;
        public int Covered;

        /// <summary>The revision of its first event here.</summary>
        public long FirstRevision;

        /// <summary>The position of its last event before this segment.</summary>
        public long Previous;
    }
}
