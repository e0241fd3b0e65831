using System.Buffers.Binary;
using System.IO.Hashing;

namespace KawaOrleans.Storage.Streams;

/// <summary>What a run's first page says (docs/FORMAT.md, "Runs of heads").</summary>
internal sealed record HeadRunLayout(Guid LogId, long From, long To, long Streams, int Blocks, int FilterBytes)
{
    /// <summary>The first page, and each block of entries.</summary>
    public const int PageBytes = 4096;

    /// <summary>What a block spends on its hash.</summary>
    public const int HashBytes = 8;

    private const ulong Magic = 0x4E55522E4157414B; // "KAWA.RUN"
    private const int Version = 1;
    private const int UsedBytes = 80;

    public long IndexOffset => PageBytes * (1L + Blocks);

    public int IndexBytes => sizeof(uint) * Blocks;

    public long FilterOffset => IndexOffset + ((IndexBytes + 63) & ~63);

    public long FileBytes => FilterOffset + FilterBytes;

    /// <summary>The first page. <paramref name="tablesHash"/> covers index and filter.</summary>
    public byte[] Encode(ulong tablesHash)
    {
        var page = new byte[PageBytes];
        var s = page.AsSpan();
        BinaryPrimitives.WriteUInt64LittleEndian(s[8..], Magic);
        BinaryPrimitives.WriteInt32LittleEndian(s[16..], Version);
        LogId.TryWriteBytes(s[20..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(s[36..], From);
        BinaryPrimitives.WriteInt64LittleEndian(s[44..], To);
        BinaryPrimitives.WriteInt64LittleEndian(s[52..], Streams);
        BinaryPrimitives.WriteInt32LittleEndian(s[60..], Blocks);
        BinaryPrimitives.WriteInt32LittleEndian(s[64..], FilterBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(s[68..], tablesHash);
        BinaryPrimitives.WriteUInt64LittleEndian(s, XxHash3.HashToUInt64(s[8..UsedBytes]));
        return page;
    }

    /// <summary>Reads a first page; null when it is none of ours, or not whole.</summary>
    public static HeadRunLayout? Decode(ReadOnlySpan<byte> page, long fileBytes, out ulong tablesHash)
    {
        tablesHash = 0;
        if (page.Length < UsedBytes
            || BinaryPrimitives.ReadUInt64LittleEndian(page) != XxHash3.HashToUInt64(page[8..UsedBytes])
            || BinaryPrimitives.ReadUInt64LittleEndian(page[8..]) != Magic
            || BinaryPrimitives.ReadInt32LittleEndian(page[16..]) != Version)
        {
            return null;
        }

        tablesHash = BinaryPrimitives.ReadUInt64LittleEndian(page[68..]);
        var layout = new HeadRunLayout(
            new Guid(page.Slice(20, 16), bigEndian: true),
            BinaryPrimitives.ReadInt64LittleEndian(page[36..]),
            BinaryPrimitives.ReadInt64LittleEndian(page[44..]),
            BinaryPrimitives.ReadInt64LittleEndian(page[52..]),
            BinaryPrimitives.ReadInt32LittleEndian(page[60..]),
            BinaryPrimitives.ReadInt32LittleEndian(page[64..]));
        return layout is { Blocks: >= 0, Streams: >= 0 } && NameFilter.IsSize(layout.FilterBytes) && layout.FileBytes <= fileBytes ? layout : null;
    }
}
