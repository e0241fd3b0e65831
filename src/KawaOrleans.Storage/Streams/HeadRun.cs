using System.Buffers.Binary;
using System.IO.Hashing;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Streams;

/// <summary>The heads of all streams in a range of the log, sorted, in a file that never changes. Nothing of it is in memory but what
/// the operating system keeps of its map; a look-up touches one cache line of its filter, its index, and one block.</summary>
internal sealed class HeadRun : IStreamHeads, IHeadSource
{
    private const int StepBytes = 64 * 1024;

    private readonly IFileMap _map;

    private HeadRun(string path, IFileMap map, HeadRunLayout layout)
    {
        Path = path;
        _map = map;
        Layout = layout;
    }

    public string Path { get; }

    public HeadRunLayout Layout { get; }

    public long From => Layout.From;

    public long To => Layout.To;

    public long Streams => Layout.Streams;

    /// <summary>Opens a run, its first page and tables verified; null when it is not whole: it can be built again.</summary>
    public static HeadRun? TryOpen(IVolume volume, string path)
    {
        // By positional reads, whose failure is an exception: through a map it would end the process.
        using var file = volume.Open(path, writable: false);
        var page = new byte[HeadRunLayout.PageBytes];
        if (HeadRunLayout.Decode(page.AsSpan(0, file.Read(0, page)), file.Length, out var tablesHash) is not { } layout)
        {
            return null;
        }

        return HashTables(file, layout) == tablesHash ? new HeadRun(path, file.Map(), layout) : null;
    }

    public StreamHead? Find(StreamName name)
    {
        StreamHead? found = null;
        if (Layout.Blocks > 0 && NameFilter.MayContain(_map.Span(Layout.FilterOffset, Layout.FilterBytes), name.FullHash))
        {
            var wanted = new HeadEntry(name.Hash, name.Utf8, default);
            for (var block = FirstBlockOf(name.Hash); block < Layout.Blocks && FirstHash(block) <= name.Hash && found is null; block++)
            {
                var entries = VerifiedBlock(block);
                while (HeadEntry.TryRead(entries, out var entry) && entry.CompareTo(wanted) is var order and <= 0)
                {
                    found = order == 0 ? entry.Head : found;
                    entries = entries[entry.Bytes..];
                }
            }
        }

        GC.KeepAlive(_map);
        return found;
    }

    public IHeadCursor Read() => new Cursor(this);

    /// <summary>How large the file is.</summary>
    public long Bytes => Layout.FileBytes;

    /// <summary>A part of the file, to be sent to another node: what arrives is verified there.</summary>
    public byte[] Part(long offset, int count)
    {
        var part = _map.Span(offset, (int)Math.Min(count, Bytes - offset)).ToArray();
        GC.KeepAlive(_map);
        return part;
    }

    /// <summary>The hash over index and filter: step by step, they are 13 MiB where there are ten million streams.</summary>
    private static ulong HashTables(IVolumeFile file, HeadRunLayout layout)
    {
        var hash = new XxHash3();
        var step = new byte[(int)Math.Min(StepBytes, layout.FileBytes - layout.IndexOffset)];
        for (var at = layout.IndexOffset; at < layout.FileBytes;)
        {
            var read = file.Read(at, step.AsSpan(0, (int)Math.Min(step.Length, layout.FileBytes - at)));
            if (read == 0)
            {
                break;
            }

            hash.Append(step.AsSpan(0, read));
            at += read;
        }

        return hash.GetCurrentHashAsUInt64();
    }

    /// <summary>The first block that can hold an entry of this hash.</summary>
    private int FirstBlockOf(uint hash)
    {
        // The last block that begins below the hash; those that begin with it come behind.
        var (low, high) = (0, Layout.Blocks);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (FirstHash(middle) < hash)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return Math.Max(0, low - 1);
    }

    private uint FirstHash(int block) =>
        BinaryPrimitives.ReadUInt32LittleEndian(_map.Span(Layout.IndexOffset + (sizeof(uint) * (long)block), sizeof(uint)));

    /// <exception cref="SegmentDamagedException">The block does not verify.</exception>
    private ReadOnlySpan<byte> VerifiedBlock(int block)
    {
        var bytes = _map.Span(OffsetOf(block), HeadRunLayout.PageBytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes) == XxHash3.HashToUInt64(bytes[HeadRunLayout.HashBytes..])
            ? bytes[HeadRunLayout.HashBytes..]
            : throw new SegmentDamagedException(Path, OffsetOf(block), "a block of heads does not verify");
    }

    private static long OffsetOf(int block) => HeadRunLayout.PageBytes * (1L + block);

    private sealed class Cursor(HeadRun run) : IHeadCursor
    {
        private readonly byte[] _entries = new byte[HeadRunLayout.PageBytes - HeadRunLayout.HashBytes];
        private int _block = -1;
        private int _at = HeadRunLayout.PageBytes;
        private int _length;

        public HeadEntry Current => HeadEntry.TryRead(_entries.AsSpan(_at), out var entry)
            ? entry
            : throw new InvalidOperationException("Move to an entry first.");

        public bool MoveNext()
        {
            _at += _length;
            while (_at >= _entries.Length || !HeadEntry.TryRead(_entries.AsSpan(_at), out _))
            {
                if (++_block >= run.Layout.Blocks)
                {
                    return false;
                }

                run.VerifiedBlock(_block).CopyTo(_entries);
                _at = 0;
            }

            _length = Current.Bytes;
            return true;
        }
    }
}
