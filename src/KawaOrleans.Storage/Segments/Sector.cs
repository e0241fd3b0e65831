using System.Buffers.Binary;
using System.IO.Hashing;

namespace KawaOrleans.Storage.Segments;

/// <summary>What a sector turned out to be.</summary>
internal enum SectorStatus
{
    /// <summary>Zeroes: never written.</summary>
    Blank,

    Whole,

    /// <summary>Neither: its state is unknown.</summary>
    Bad,
}

/// <summary>The frame around every 512-byte sector: checksum, magic, content. State sectors are tied to their segment, so that
/// one copied from another file is bad.</summary>
internal static class Sector
{
    public const int Content = 16;

    private const int Magic = 8;

    public static SectorStatus Check(ReadOnlySpan<byte> sector, ulong magic, uint segmentKey)
    {
        if (!sector.ContainsAnyExcept((byte)0))
        {
            return SectorStatus.Blank;
        }

        return BinaryPrimitives.ReadUInt64LittleEndian(sector[Magic..]) == magic
            && BinaryPrimitives.ReadUInt64LittleEndian(sector) == Hash(sector, segmentKey)
            ? SectorStatus.Whole
            : SectorStatus.Bad;
    }

    public static void Finish(Span<byte> sector, ulong magic, uint segmentKey)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(sector[Magic..], magic);
        BinaryPrimitives.WriteUInt64LittleEndian(sector, Hash(sector, segmentKey));
    }

    private static ulong Hash(ReadOnlySpan<byte> sector, uint segmentKey) => XxHash3.HashToUInt64(sector[Magic..]) ^ segmentKey;
}
